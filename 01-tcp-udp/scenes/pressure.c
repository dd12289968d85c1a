// pressure.c: see pressure.h. What happens to bytes that the network loses, or that nobody
// reads?
#include "pressure.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "packet_log.h"
#include "claim.h"
#include "net.h"
#include "story.h"

#define MESSAGES       200 // of scene loss
#define FLOW_BYTES     400000
#define FLOW_DATAGRAMS 500

static char answer[ANSWER_BYTES];

// ---- loss ----------------------------------------------------------------------------------

static const struct claim delivery = {"1.3", "guide §2.1",
                                      "TCP delivers everything, in order, over a lossy network",
                                      HOLDS, NULL};

// What the server noted of one transport: microseconds on the way for each message, 0 if it
// never came. Returns how many came; `in_order`: each was later than the one before it.
static int read_notes(int tcp, const char *transport, long *took_us, bool *in_order)
{
    int count = 0, number, last = 0, used;
    long us;
    ask_tcp(tcp, answer, "notes %s", transport);
    *in_order = true;
    memset(took_us, 0, (MESSAGES + 1) * sizeof *took_us);
    for (char *rest = strchr(answer, ':') + 1;
         sscanf(rest, " %d=%ld%n", &number, &us, &used) == 2; rest += used, count++) {
        if (number < 1 || number > MESSAGES)
            die("the server has a note of message %d", number);
        *in_order = *in_order && number > last;
        last = number;
        took_us[number] = us;
    }
    return count;
}

// One column for each message: a step higher is twice as late, a gap never came.
static void draw_strip(const char *name, const long *took_us)
{
    static const char *const height[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    long fastest = 0;
    for (int i = 1; i <= MESSAGES; i++)
        if (took_us[i] && (!fastest || took_us[i] < fastest))
            fastest = took_us[i];
    for (int first = 1; first <= MESSAGES; first += 80) {
        char line[80 * 4] = "";
        for (int i = first; i < first + 80 && i <= MESSAGES; i++) {
            int step = 0;
            for (long us = took_us[i]; us >= 2 * fastest && step < 7; us /= 2)
                step++;
            strcat(line, took_us[i] ? height[step] : " ");
        }
        story_say("%s %3d %s", first == 1 ? name : "   ", first, line);
    }
}

void scene_loss(void)
{
    static long took_us[MESSAGES + 1];
    bool udp_in_order, tcp_in_order;
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    int udp = ask_open_udp(), tcp = ask_open_tcp(), on = 1;
    setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // lesson 09 says why
    story_quiet(true);
    ask_tcp(tcp, answer, "forget");
    story_say("%d numbered messages over a link that loses %g %%, a millisecond apart.",
              MESSAGES, packet_log()->loss);
    for (int i = 1; i <= 2 * MESSAGES; i++, sleep_ms(1)) {
        bool over_udp = i <= MESSAGES;
        char message[64];
        int bytes =
            snprintf(message, sizeof message, "note %d %lld%s", over_udp ? i : i - MESSAGES,
                     (long long)now_ns() / 1000, over_udp ? "" : "\n");
        send_all(over_udp ? udp : tcp, message, (size_t)bytes);
    }
    story_say("Each column is a message; a step higher is twice as late, a gap never arrived:");
    story_say("");
    int by_tcp = read_notes(tcp, "tcp", took_us, &tcp_in_order);
    draw_strip("TCP", took_us);
    int by_udp = read_notes(tcp, "udp", took_us, &udp_in_order);
    draw_strip("UDP", took_us);
    getsockopt(tcp, IPPROTO_TCP, TCP_INFO, &info, &length);

    bool lost_something = by_udp < MESSAGES && info.tcpi_total_retrans > 0;
    bool complete = by_tcp == MESSAGES && tcp_in_order;
    if (!packet_log()->tunnel)
        claim_skip(&delivery);
    else if (!lost_something && complete)
        claim_report(&delivery, SKIPPED, "the link lost nothing this time");
    else
        claim_report(&delivery, complete ? HOLDS : UNCLEAR,
                     "TCP: %d of %d, %s, %u segments sent again. UDP: %d of %d", by_tcp,
                     MESSAGES, tcp_in_order ? "in order" : "out of order",
                     info.tcpi_total_retrans, by_udp, MESSAGES);
    close(tcp);
    close(udp);
}

// ---- flow ----------------------------------------------------------------------------------

static const struct claim window = {"1.7", "guide §2.1, §8.1", "a slow reader stops the sender",
                                    HOLDS, NULL};
static const struct claim no_window = {"1.8", "guide §2.1", "UDP has no flow control", HOLDS,
                                       NULL};
static const struct claim buffers = {
    "1.10", "load balancing", "a socket buffers 87 KB to 6 MB in, 16 KB to 4 MB out", NOT_HERE,
    "87380 was tcp_rmem's default until Linux 4.20, now it is 131072 (the kernel's "
    "ip-sysctl.rst); the larger figures are limits, and grow with the machine's memory."};

// Reads the three numbers of tcp_rmem or tcp_wmem: minimum, default, maximum.
static void read_sysctl(const char *name, long values[3])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/sys/net/ipv4/%s", name);
    FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%ld %ld %ld", &values[0], &values[1], &values[2]) != 3)
        memset(values, 0, 3 * sizeof *values);
    if (file)
        fclose(file);
}

static int socket_buffer(int fd, int option)
{
    int bytes = 0;
    socklen_t length = sizeof bytes;
    getsockopt(fd, SOL_SOCKET, option, &bytes, &length);
    return bytes;
}

// Writes until the socket has taken nothing for a while: errno is EAGAIN then. Returns the
// bytes that it took.
static long write_until_stuck(int fd, long most)
{
    static const char zeros[4096];
    struct pollfd writable = {fd, POLLOUT, 0};
    long written = 0;
    while (written < most) {
        size_t length = most - written < 4096 ? (size_t)(most - written) : 4096;
        ssize_t sent = send(fd, zeros, length, MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            die("cannot send: %s", strerror(errno));
        if (sent < 0 && poll(&writable, 1, 300 + (int)(3 * packet_log()->rtt_ms)) == 0)
            break;
        written += sent > 0 ? sent : 0;
    }
    return written;
}

// TCP into a reader that sleeps. `info` is the kernel's view when we were stuck, `all` says
// whether everything arrived in the end.
static void tcp_into_a_sleeping_reader(int udp, long *stuck_at, struct tcp_info *info,
                                       bool *all)
{
    int tcp = ask_open_tcp();
    socklen_t info_length = sizeof *info;
    story_say("TCP: the server stops reading. We write until the kernel takes no more.");
    story_timeline();
    ask_tcp(tcp, answer, "pause %d", 2 * PATIENCE_MS);
    char command[40];
    int length = snprintf(command, sizeof command, "swallow %d\n", FLOW_BYTES);
    send_all(tcp, command, (size_t)length);
    *stuck_at = write_until_stuck(tcp, FLOW_BYTES);
    if (*stuck_at < FLOW_BYTES)
        story_event("send(): %s, after %ld bytes", strerror(errno), *stuck_at);
    else
        story_event("the kernel took all %d bytes", FLOW_BYTES);
    getsockopt(tcp, IPPROTO_TCP, TCP_INFO, info, &info_length);
    ask_udp(udp, answer, "resume");
    story_event("\"resume\": the server reads again, and we can write the rest");
    story_quiet(true);
    static const char zeros[FLOW_BYTES];
    send_all(tcp, zeros, (size_t)(FLOW_BYTES - *stuck_at));
    char expected[40];
    snprintf(expected, sizeof expected, "swallowed %d bytes", FLOW_BYTES);
    *all = read_line(tcp, answer) && strstr(answer, expected);
    close(tcp);
}

static void udp_into_a_sleeping_reader(int udp, long *sent, long *received, long *dropped)
{
    int tcp = ask_open_tcp();
    static char datagram[1000] = "nobody waits for this one";
    long before_received, before_dropped;
    story_say("UDP: the server stops reading. We send %d datagrams of %zu bytes.",
              FLOW_DATAGRAMS, sizeof datagram);
    ask_udp(udp, answer, "drops");
    sscanf(answer, "received %ld dropped %ld", &before_received, &before_dropped);
    ask_udp(udp, answer, "pause %d", 2 * PATIENCE_MS);
    for (int i = 0; i < FLOW_DATAGRAMS; i++)
        send_all(udp, datagram, sizeof datagram);
    story_say("send() was content with each of them.");
    ask_tcp(tcp, answer, "resume"); // by TCP: over UDP nobody would hear it
    close(tcp);
    // The echoes of what got through come first; the answer to "drops" is behind them.
    ask_udp(udp, answer, "drops");
    sscanf(answer, "received %ld dropped %ld", received, dropped);
    *sent = FLOW_DATAGRAMS + 2; // and "pause", and the second "drops"
    *received -= before_received;
    *dropped -= before_dropped;
}

void scene_flow(void)
{
    int udp = ask_open_udp();
    long stuck_at, in[3], out[3], sent, received, dropped;
    struct tcp_info info = {0};
    bool all;
    tcp_into_a_sleeping_reader(udp, &stuck_at, &info, &all);
    // Closed: 0, or too small for one more segment.
    bool window_closed = info.tcpi_snd_wnd < info.tcpi_snd_mss;
    udp_into_a_sleeping_reader(udp, &sent, &received, &dropped);
    close(udp);
    int tcp = ask_open_tcp();
    read_sysctl("tcp_rmem", in);
    read_sysctl("tcp_wmem", out);
    story_head("a socket's buffers, in bytes|smallest|default|largest|this one");
    story_row("in: tcp_rmem, SO_RCVBUF|%ld|%ld|%ld|%d", in[0], in[1], in[2],
              socket_buffer(tcp, SO_RCVBUF));
    story_row("out: tcp_wmem, SO_SNDBUF|%ld|%ld|%ld|%d", out[0], out[1], out[2],
              socket_buffer(tcp, SO_SNDBUF));
    close(tcp);

    if (packet_log()->tunnel)
        claim_report(&window, stuck_at < FLOW_BYTES && window_closed && all ? HOLDS : UNCLEAR,
                     "%s at %ld bytes, the reader's window is %u; after \"resume\" %d arrived",
                     stuck_at < FLOW_BYTES ? "stuck" : "not stuck", stuck_at, info.tcpi_snd_wnd,
                     all ? FLOW_BYTES : 0);
    else
        claim_skip(&window);
    if (packet_log()->loss > 0 || packet_log()->rate > 0)
        claim_report(&no_window, SKIPPED, "this link loses datagrams too");
    else
        claim_report(&no_window, dropped > 0 && sent == received + dropped ? HOLDS : UNCLEAR,
                     "%ld sent = %ld received + %ld that the server's kernel dropped", sent,
                     received, dropped);
    claim_report(&buffers,
                 in[1] == 87380                 ? HOLDS
                 : in[1] > 0 && out[1] == 16384 ? NOT_HERE
                                                : UNCLEAR,
                 "in: default %ld, at most %ld; out: default %ld, at most %ld", in[1], in[2],
                 out[1], out[2]);
}
