// flow.c: scene flow: a reader that cannot keep up.
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
#include "host.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define FLOW_BYTES     400000
#define FLOW_DATAGRAMS 500

static char answer[ANSWER_BYTES];

static const struct claim window = {"1.7", "guide §2.1, §8.1", "a slow reader stops the sender",
                                    HOLDS, NULL};
static const struct claim no_window = {"1.8", "guide §2.1", "UDP has no flow control", HOLDS,
                                       NULL};
static const struct claim buffers = {
    "1.10", "load balancing", "a socket buffers 87 KB to 6 MB in, 16 KB to 4 MB out", NOT_HERE,
    "87380 was tcp_rmem's default until Linux 4.20, now it is 131072 (the kernel's "
    "ip-sysctl.rst); the larger figures are limits, and grow with the machine's memory."};

// What a kernel of this version (612: 6.12) has by itself: the largest is less where there is
// little memory (tcp_init() in the kernel's net/ipv4/tcp.c).
enum verdict flow_buffers(const long in[3], const long out[3], int kernel)
{
    long in_default = kernel < 420 ? 87380 : 131072;
    long in_largest = kernel < 616 ? 6 << 20 : 32 << 20;
    if (in[0] != 4096 || in[1] != in_default || in[2] > in_largest || out[0] != 4096 ||
        out[1] != 16384 || out[2] > 4 << 20)
        return SKIPPED; // they were set to other values
    return kernel < 420 ? HOLDS : NOT_HERE;
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
    ask_tcp(tcp, answer, "resume"); // by TCP: over UDP the server does not read it now
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
    bool known = host_setting("tcp_rmem", in, 3) && host_setting("tcp_wmem", out, 3);
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
    enum verdict verdict = known ? flow_buffers(in, out, host_kernel()) : UNCLEAR;
    claim_report(&buffers, verdict,
                 "in: default %ld, at most %ld; out: default %ld, at most %ld%s", in[1], in[2],
                 out[1], out[2],
                 verdict == SKIPPED ? ": somebody has set them on this machine" : "");
}
