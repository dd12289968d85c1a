// flow.c: scene flow: a reader that is too slow. TCP stops the sender, UDP loses datagrams.
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
#define WRITE_BYTES    4096

static char answer[ANSWER_BYTES];
static const char zeros[FLOW_BYTES];

static const struct claim window = {"1.7", "guide §2.1, load balancing",
                                    "a slow reader stops the sender", HOLDS, NULL};
static const struct claim copies = {
    "1.46", "guide §8.1, load balancing",
    "send() copies into the kernel's buffer, and returns; if that is full, it says EAGAIN (or "
    "blocks)",
    HOLDS, NULL};
static const struct claim no_window = {"1.8", "guide §2.1", "UDP has no flow control", HOLDS,
                                       NULL};
static const struct claim buffers = {
    "1.10", "load balancing", "a socket buffers 87 KB to 6 MB in, 16 KB to 4 MB out", NOT_HERE,
    "87380 was tcp_rmem's default until Linux 4.20, now it is 131072 (the kernel's "
    "ip-sysctl.rst). The limits: 4 MB out, as the note says; 6 MB in, 32 MB since Linux 6.16; "
    "less only where there is little memory."};

// A kernel's own largest values are smaller than these where there is little memory (tcp_init()
// in the kernel's net/ipv4/tcp.c).
enum verdict flow_buffers(const long in[3], const long out[3], int kernel)
{
    bool old = kernel < 420;
    long in_default = 131072, in_largest = 32 << 20;
    if (old)
        in_default = 87380;
    if (kernel < 616)
        in_largest = 6 << 20;
    if (in[0] != 4096 || in[1] != in_default || in[2] > in_largest || out[0] != 4096 ||
        out[1] != 16384 || out[2] > 4 << 20)
        return SKIPPED; // this machine has other settings
    if (old)
        return HOLDS;
    return NOT_HERE;
}

static int socket_buffer(int fd, int option)
{
    int bytes = 0;
    socklen_t length = sizeof bytes;
    getsockopt(fd, SOL_SOCKET, option, &bytes, &length);
    return bytes;
}

// Writes until the socket takes nothing for a while; then errno is EAGAIN. Returns how many
// bytes it has taken.
static long write_until_stuck(int fd, long most)
{
    struct pollfd writable = {fd, POLLOUT, 0};
    long written = 0;
    while (written < most) {
        size_t length = (size_t)(most - written);
        if (length > WRITE_BYTES)
            length = WRITE_BYTES;
        ssize_t sent = send(fd, zeros, length, MSG_DONTWAIT);
        if (sent >= 0)
            written += sent;
        else if (errno != EAGAIN)
            die("cannot send: %s", strerror(errno));
        else if (poll(&writable, 1, 300 + (int)(3 * packet_log()->rtt_ms)) == 0)
            break;
    }
    return written;
}

struct tcp_flow {
    long stuck_at;        // bytes that the kernel took while the server did not read
    int error;            // of the send() that took none
    struct tcp_info info; // the kernel's view of the connection at that moment
    bool all;             // all bytes arrived in the end
};

// Sends bytes over TCP to a server that does not read for a while. `udp` wakes the server.
static struct tcp_flow flow_over_tcp(int udp)
{
    struct tcp_flow flow;
    socklen_t info_length = sizeof flow.info;
    char text[40];
    int tcp = ask_open_tcp();
    story_say("TCP: the server stops reading. The client writes until its kernel takes no "
              "more.");
    story_timeline();
    ask_tcp(tcp, answer, "pause %d", 2 * PATIENCE_MS);
    int length = snprintf(text, sizeof text, "swallow %d\n", FLOW_BYTES);
    send_all(tcp, text, (size_t)length);
    flow.stuck_at = write_until_stuck(tcp, FLOW_BYTES);
    flow.error = errno;
    if (flow.stuck_at < FLOW_BYTES)
        story_event("send(): %s, after %ld bytes", strerror(flow.error), flow.stuck_at);
    else
        story_event("the kernel took all %d bytes", FLOW_BYTES);
    getsockopt(tcp, IPPROTO_TCP, TCP_INFO, &flow.info, &info_length);
    ask_udp(udp, answer, "resume");
    story_event("\"resume\": the server reads again, the client writes the rest");
    story_quiet(true);
    send_all(tcp, zeros, (size_t)(FLOW_BYTES - flow.stuck_at));
    snprintf(text, sizeof text, "swallowed %d bytes", FLOW_BYTES);
    flow.all = read_line(tcp, answer) && strstr(answer, text);
    close(tcp);
    return flow;
}

static void judge_tcp(const struct tcp_flow *flow)
{
    // A window is closed if it is 0, or too small for one more segment.
    bool window_closed = flow->info.tcpi_snd_wnd < flow->info.tcpi_snd_mss;
    if (!packet_log()->tunnel)
        claim_skip(&window);
    else if (flow->stuck_at == FLOW_BYTES)
        claim_report(&window, UNCLEAR, "the sender was not stopped: %d bytes", FLOW_BYTES);
    else if (!flow->all)
        claim_report(&window, UNCLEAR, "after \"resume\" not all bytes arrived");
    else
        claim_report(&window, holds_if(window_closed),
                     "stuck at %ld bytes, the reader's window is %u; after \"resume\" %d "
                     "arrived",
                     flow->stuck_at, flow->info.tcpi_snd_wnd, FLOW_BYTES);
}

static void judge_send(const struct tcp_flow *flow)
{
    // The byte before the first one is the SYN, and "pause" has gone before.
    long there = (long)flow->info.tcpi_bytes_acked - (long)strlen("pause 40000\n") - 1;
    bool copied =
        flow->error == EAGAIN && flow->stuck_at < FLOW_BYTES && there < flow->stuck_at;
    if (!packet_log()->tunnel)
        claim_skip(&copies);
    else
        claim_report(
            &copies, holds_if(copied && flow->all),
            "send() had taken %ld bytes when it said %s; the server's kernel had at most "
            "%ld of them, its program none: success says nothing about the peer",
            flow->stuck_at, strerror(flow->error), there);
}

struct udp_flow {
    long sent, again;       // datagrams; questions that were asked again
    long received, dropped; // as the server's kernel counts them
};

// Asks the server how many datagrams it has received, and how many its kernel has dropped.
// Returns how often it had to ask.
static int ask_drops(int udp, long *received, long *dropped)
{
    int tries = ask_udp(udp, answer, "drops");
    sscanf(answer, "received %ld dropped %ld", received, dropped);
    return tries;
}

// Sends datagrams to a server that does not read for a while.
static struct udp_flow flow_over_udp(int udp)
{
    static char datagram[1000] = "the server does not wait for this one";
    struct udp_flow flow;
    long before_received, before_dropped;
    int tcp = ask_open_tcp();
    story_say("UDP: the server stops reading. The client sends %d datagrams of %zu bytes.",
              FLOW_DATAGRAMS, sizeof datagram);
    int tries = ask_drops(udp, &before_received, &before_dropped);
    tries += ask_udp(udp, answer, "pause %d", 2 * PATIENCE_MS);
    for (int i = 0; i < FLOW_DATAGRAMS; i++)
        send_all(udp, datagram, sizeof datagram);
    story_say("send() reported no error for any of them.");
    ask_tcp(tcp, answer, "resume"); // over TCP: the server reads no datagrams now
    close(tcp);
    // The answer to "drops" comes behind the echoes of the datagrams that got through.
    tries += ask_drops(udp, &flow.received, &flow.dropped);
    flow.sent = FLOW_DATAGRAMS + 2; // with "pause" and the second "drops"
    flow.again = tries - 3;         // a busy machine; they may be among those that are counted
    flow.received -= before_received;
    flow.dropped -= before_dropped;
    return flow;
}

static void judge_udp(const struct udp_flow *flow)
{
    long sent = flow->sent, more = flow->received + flow->dropped - sent;
    bool counted = flow->dropped > 0 && more >= 0 && more <= flow->again;
    if (counted)
        sent += more;
    if (packet_log()->loss > 0 || packet_log()->rate > 0)
        claim_report(&no_window, SKIPPED, "this link loses datagrams too");
    else
        claim_report(&no_window, holds_if(counted),
                     "%ld sent = %ld received + %ld that the server's kernel dropped", sent,
                     flow->received, flow->dropped);
}

static void show_buffers(const long in[3], const long out[3])
{
    int tcp = ask_open_tcp();
    story_head("a socket's buffers, in bytes|smallest|default|largest|this one");
    story_row("in: tcp_rmem, SO_RCVBUF|%ld|%ld|%ld|%d", in[0], in[1], in[2],
              socket_buffer(tcp, SO_RCVBUF));
    story_row("out: tcp_wmem, SO_SNDBUF|%ld|%ld|%ld|%d", out[0], out[1], out[2],
              socket_buffer(tcp, SO_SNDBUF));
    close(tcp);
}

static void judge_buffers(const long in[3], const long out[3])
{
    enum verdict verdict = flow_buffers(in, out, host_kernel());
    if (verdict == SKIPPED)
        claim_report(&buffers, SKIPPED,
                     "this machine has settings of its own: in %ld to %ld, out %ld to %ld",
                     in[1], in[2], out[1], out[2]);
    else
        claim_report(&buffers, verdict,
                     "in: default %ld, at most %ld; out: default %ld, at most %ld", in[1],
                     in[2], out[1], out[2]);
}

void scene_flow(void)
{
    long in[3] = {0}, out[3] = {0};
    int udp = ask_open_udp();
    struct tcp_flow tcp_flow = flow_over_tcp(udp);
    struct udp_flow udp_flow = flow_over_udp(udp);
    close(udp);
    bool known = host_setting("tcp_rmem", in, 3) && host_setting("tcp_wmem", out, 3);
    show_buffers(in, out);
    judge_tcp(&tcp_flow);
    judge_send(&tcp_flow);
    judge_udp(&udp_flow);
    if (known)
        judge_buffers(in, out);
    else
        claim_report(&buffers, UNCLEAR, "tcp_rmem and tcp_wmem cannot be read");
}
