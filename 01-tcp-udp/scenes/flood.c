// flood.c: scene flood: TCP and UDP on a link that is too narrow for both. Which of them makes
// room? Read send_for_a_while() first.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define RUN_MS         500
#define TIMES          2 // UDP sends as many times what the link can carry
#define DATAGRAM_BYTES 1000
#define HEADERS        28 // IP and UDP
#define WRITE_BYTES    16384
#define PACKETS_MAX    8000

static const struct claim floods = {
    "1.54", "guide §2.1", "UDP has no congestion control (can flood networks)", HOLDS, NULL};

static const char zeros[WRITE_BYTES];

struct traffic {
    long tcp_bytes;            // that the other end has acknowledged
    long udp_sent, udp_passed; // datagrams that the program sent, and that the link took
};

static long acknowledged(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
    return (long)info.tcpi_bytes_acked;
}

static long count_passed(uint32_t mark)
{
    static struct packet packets[PACKETS_MAX];
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    long passed = 0;
    for (uint32_t i = 0; i < count; i++)
        passed += packets[i].protocol == IPPROTO_UDP && packets[i].fate == PASSED &&
                  packets[i].to_server;
    return passed;
}

// Writes to a TCP connection all that it takes, for RUN_MS. Beside it sends datagrams, TIMES as
// fast as the link, unless `udp` is -1.
static struct traffic send_for_a_while(int tcp, int udp)
{
    struct traffic traffic = {0};
    double datagrams_a_ms = TIMES * packet_log()->rate / 8 / (DATAGRAM_BYTES + HEADERS);
    uint32_t mark = packet_log_mark();
    long before = acknowledged(tcp);
    int64_t start_ns = now_ns();
    for (double ms = 0; ms < RUN_MS; ms = (double)(now_ns() - start_ns) / 1e6) {
        for (; udp >= 0 && traffic.udp_sent < ms * datagrams_a_ms; traffic.udp_sent++)
            send_all(udp, zeros, DATAGRAM_BYTES);
        while (send(tcp, zeros, sizeof zeros, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
            ; // until the kernel's buffer is full
        sleep_ms(1);
    }
    traffic.tcp_bytes = acknowledged(tcp) - before;
    traffic.udp_passed = count_passed(mark);
    return traffic;
}

static int open_swallower(void)
{
    static const char command[] = "swallow 10485760\n";
    int tcp = ask_open_tcp();
    send_all(tcp, command, sizeof command - 1);
    return tcp;
}

void scene_flood(void)
{
    char answer[ANSWER_BYTES];
    if (!packet_log()->tunnel) {
        claim_skip(&floods);
        return;
    }
    if (packet_log()->rate == 0) {
        claim_report(&floods, SKIPPED, "this link has no limit: it needs --rate");
        return;
    }
    int udp = ask_open_udp(), first = open_swallower(), second = open_swallower();
    story_quiet(true);
    story_say("A link for %g kbit/s. TCP sends what it can, for %d ms; then again, while UDP "
              "sends %d times as much as the link can carry.",
              packet_log()->rate, RUN_MS, TIMES);
    ask_udp(udp, answer, "pause 10000"); // else the server would send each datagram back
    struct traffic alone = send_for_a_while(first, -1);
    close(first);
    struct traffic beside = send_for_a_while(second, udp);
    close(second);
    close(udp);
    story_say("");
    story_bar("TCP alone", (double)alone.tcp_bytes / 1000, (double)alone.tcp_bytes / 1000,
              "%.0f KB", (double)alone.tcp_bytes / 1000);
    story_bar("TCP beside UDP", (double)beside.tcp_bytes / 1000, (double)alone.tcp_bytes / 1000,
              "%.0f KB", (double)beside.tcp_bytes / 1000);
    long lost = beside.udp_sent - beside.udp_passed;
    claim_report(&floods,
                 holds_if(3 * beside.tcp_bytes < alone.tcp_bytes && beside.udp_passed > 0 &&
                          lost > beside.udp_sent / 4),
                 "TCP comes from %.0f KB down to %.0f KB. UDP sends on: %ld datagrams, %ld of "
                 "them lost",
                 (double)alone.tcp_bytes / 1000, (double)beside.tcp_bytes / 1000,
                 beside.udp_sent, lost);
}
