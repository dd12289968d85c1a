// handshake.c: scene handshake: how a connection begins and ends. Read close_at_once() and
// close_by_halves() beside their timelines.
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "packet_log.h"
#include "capture.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "tcp_state.h"

#define PACKETS_MAX 1000
#define TIME_WAIT_S 60 // TCP_TIMEWAIT_LEN in the kernel's include/net/tcp.h

static char answer[ANSWER_BYTES];
static struct packet packets[PACKETS_MAX];
static uint32_t packets_from; // the scene's first packet in the packet log

static const struct claim opening = {"1.1", "guide §2.1, §7, load balancing",
                                     "a three-way handshake comes before any data", HOLDS,
                                     NULL};
static const struct claim closing = {
    "1.2", "guide §2.1, load balancing", "a connection closes with FIN, ACK, FIN, ACK",
    NOT_HERE,
    "Not as a rule: a FIN may carry the ACK of the other's (RFC 9293 §3.3.2, note 2), and does "
    "when a server closes as soon as it has read the end. Only a half-close needs four."};
static const struct claim headers = {
    "1.5", "guide §2.1", "a UDP header has 8 bytes, a TCP header 20 to 60", HOLDS, NULL};
static const struct claim four_tuple = {"1.9", "guide §2.1, §7",
                                        "a connection is its four-tuple; one port serves many",
                                        HOLDS, NULL};
static const struct claim time_wait = {
    "1.11", "load balancing", "the side that closes first waits in TIME_WAIT", HOLDS, NULL};

static const struct claim how_long = {
    "1.49", "load balancing", "TIME_WAIT lasts 2 x MSL, 60 to 120 seconds", HOLDS, NULL};
static const struct claim ecn = {
    "1.50", "guide §2.1", "congestion control uses ECN", NOT_HERE,
    "Not unless someone switches it on: Linux says yes when the other end asks for ECN, and "
    "does not ask itself (tcp_ecn is 2: the kernel's ip-sysctl.rst)."};
static const struct claim by_udp = {"1.51", "guide §2.1",
                                    "for a DNS query a retry is cheaper than TCP's overhead",
                                    HOLDS, NULL};
static const struct claim close_wait = {
    "1.45", "load balancing",
    "CLOSE_WAIT: a FIN has come, and the application has not closed (a bug, if it stays)",
    HOLDS, NULL};

// Waits until the client's connection from `my_port` is in this state, at most PATIENCE_MS.
// When one state has not come, it does not wait for the following ones.
static void await_state(int my_port, const char *state)
{
    static bool missed;
    int64_t deadline = now_ns() + PATIENCE_MS * INT64_C(1000000);
    while (!missed && strcmp(tcp_state(my_port, ask_port()), state)) {
        missed = now_ns() > deadline;
        sleep_ms(1);
    }
}

// True if the server has answered "who" on this socket with the addresses of its two ends.
static bool is_right_who(int fd, const char *transport)
{
    static const char *const any[] = {"0.0.0.0", "[::]"};
    char mine[NET_NAME], theirs[NET_NAME], expected[2 * NET_NAME + 40];
    net_local_name(fd, mine);
    net_peer_name(fd, theirs);
    snprintf(expected, sizeof expected, "you are %s, I am %s, over %s", mine, theirs,
             transport);
    if (!strcmp(answer, expected))
        return true;
    // The server's UDP socket may be bound to all addresses, and then names none of them.
    for (int i = 0; i < 2 && !strcmp(transport, "udp"); i++) {
        snprintf(expected, sizeof expected, "you are %s, I am %s:%d, over udp", mine, any[i],
                 ask_port());
        if (!strcmp(answer, expected))
            return true;
    }
    return false;
}

// Opens three more connections. Over each of them, and over UDP, the client asks which two
// addresses the server sees. True if the server tells them apart by the client's ports. Writes
// the ports to ports[], and what the question over UDP took to *over_udp.
static bool ask_who(int udp, int ports[3], struct exchange *over_udp)
{
    int fds[3];
    story_head("what the server says about the client");
    bool right = true;
    for (int i = 0; i < 3; i++) {
        fds[i] = ask_open_tcp();
        ports[i] = local_port(fds[i]);
        ask_tcp(fds[i], answer, "who");
        right = right && is_right_who(fds[i], "tcp");
        for (int j = 0; j < i; j++)
            right = right && ports[j] != ports[i];
        story_row("%s", answer);
    }
    uint32_t mark = packet_log_mark();
    ask_udp(udp, answer, "who");
    *over_udp = capture_exchange(packets, packet_log_read(mark, packets, PACKETS_MAX),
                                 IPPROTO_UDP, local_port(udp));
    right = right && is_right_who(udp, "udp");
    story_row("%s", answer);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    return right;
}

// The length of the transport's own header: the client's first packet with data, without the IP
// header and without the text that ask_udp() or ask_tcp() sent.
static int header_bytes(uint32_t count, int protocol, const char *sent)
{
    for (uint32_t i = 0; i < count; i++)
        if (packets[i].protocol == protocol && packets[i].to_server && packets[i].payload)
            return packets[i].length - IP_HEADER - (int)strlen(sent);
    return 0;
}

// How a connection ends.
struct ending {
    int port;              // the client's
    double time_wait_s;    // how long its end stays in TIME_WAIT, just after it came there
    char client_state[16]; // of the client's end, as its kernel sees it
    char server_state[16]; // of the server's end
};

// Waits until both ends have reached these states, and notes the states that they have.
static void note_states(struct ending *ending, int udp, const char *client, const char *server)
{
    await_state(ending->port, client);
    snprintf(ending->client_state, sizeof ending->client_state, "%s",
             tcp_state(ending->port, ask_port()));
    ending->time_wait_s = tcp_time_wait_s(ending->port, ask_port());
    int64_t deadline = now_ns() + PATIENCE_MS * INT64_C(1000000);
    story_event("the scene asks over UDP: the state of the server's end?");
    do
        ask_udp(udp, answer, "state %05d", ending->port);
    while (strcmp(answer, server) && now_ns() < deadline);
    snprintf(ending->server_state, sizeof ending->server_state, "%.15s", answer);
    story_event("the client's end: %s; the server's: %s", ending->client_state,
                ending->server_state);
}

// connect(), one question, close(). Returns how many milliseconds connect() took.
static double close_at_once(int udp, struct ending *ending)
{
    story_say("connect(), one question, close(). Each arrow is a packet that sets out.");
    story_timeline();
    int64_t start = now_ns();
    story_event("connect()");
    int tcp = ask_open_tcp();
    double connect_ms = (double)(now_ns() - start) / 1e6;
    story_event("connect() returned after %.1f ms", connect_ms);
    ending->port = local_port(tcp);
    ask_tcp(tcp, answer, "hello");
    story_event("read() \"%s\", close()", answer);
    close(tcp);
    note_states(ending, udp, "TIME_WAIT", "gone");
    story_event("TIME_WAIT: %.1f s to go", ending->time_wait_s);
    return connect_ms;
}

// The same, but the server's half stays open until the client says "resume".
static void close_by_halves(int udp, struct ending *halfway, struct ending *ending)
{
    story_say("The same, but the server keeps its half open for a while (\"linger\").");
    story_timeline();
    int tcp = ask_open_tcp();
    halfway->port = ending->port = local_port(tcp);
    ask_tcp(tcp, answer, "linger %d", PATIENCE_MS);
    story_event("shutdown(SHUT_WR): no more bytes, but the client still reads");
    shutdown(tcp, SHUT_WR);
    note_states(halfway, udp, "FIN_WAIT2", "CLOSE_WAIT");
    ask_udp(udp, answer, "resume");
    while (read_line(tcp, answer))
        story_event("read() \"%s\"", answer);
    note_states(ending, udp, "TIME_WAIT", "gone");
    close(tcp);
}

static bool is_in(const struct ending *ending, const char *client_state,
                  const char *server_state)
{
    return !strcmp(ending->client_state, client_state) &&
           !strcmp(ending->server_state, server_state);
}

// One more connection, which the client closes first. Returns how many segments closed it. (On
// a busy machine the server may read the end so late that its kernel has sent an ACK before.)
static int close_once_more(void)
{
    uint32_t mark = packet_log_mark();
    int segments = 0, tcp = ask_open_tcp(), port = local_port(tcp);
    int64_t deadline = now_ns() + PATIENCE_MS * INT64_C(1000000);
    ask_tcp(tcp, answer, "hello");
    close(tcp);
    for (; segments == 0 && now_ns() < deadline; sleep_ms(1)) {
        uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
        segments = capture_closing_segments(packets, count, port);
    }
    return segments;
}

// ---- ECN: the network marks packets, instead of dropping them (RFC 3168) -------------------

// Sets tcp_ecn in this scene's own network: 1: ask for ECN, and accept it; 2: only accept.
// Returns whether that was possible; errno says why not.
static bool set_ecn(char value)
{
    FILE *file = fopen("/proc/sys/net/ipv4/tcp_ecn", "we");
    bool set = file && fputc(value, file) != EOF;
    if (file && fclose(file))
        set = false;
    return set;
}

static const char *ecn_flags(uint8_t flags)
{
    switch (flags & (TCP_ECE | TCP_CWR)) {
    case TCP_ECE | TCP_CWR:
        return "ECE CWR";
    case TCP_ECE:
        return "ECE";
    case TCP_CWR:
        return "CWR";
    default:
        return "-";
    }
}

// Compares the handshakes of two connections: `plain`, with the kernel's settings, and `asks`,
// with tcp_ecn = 1.
static enum verdict judge_ecn(uint32_t count, int plain, int asks)
{
    uint8_t syn, syn_ack, asking_syn, asking_syn_ack;
    capture_opening_flags(packets, count, plain, &syn, &syn_ack);
    capture_opening_flags(packets, count, asks, &asking_syn, &asking_syn_ack);
    story_head("a handshake: its flags for ECN|SYN|SYN ACK");
    story_row("as the kernel starts|%s|%s", ecn_flags(syn), ecn_flags(syn_ack));
    story_row("after sysctl tcp_ecn=1|%s|%s", ecn_flags(asking_syn), ecn_flags(asking_syn_ack));
    const uint8_t both = TCP_ECE | TCP_CWR;
    bool can = (asking_syn & both) == both && (asking_syn_ack & both) == TCP_ECE;
    if (can && syn && (syn & both) == 0 && syn_ack && (syn_ack & both) == 0)
        return NOT_HERE;
    if (can && (syn & both) == both)
        return HOLDS;
    return UNCLEAR;
}

// ---- the claims ----------------------------------------------------------------------------

// A question over TCP, with the connection that it needs, beside one over UDP.
static void report_exchange(struct exchange tcp, struct exchange udp)
{
    if (packet_log()->loss > 0)
        claim_report(&by_udp, SKIPPED, "on this link packets are sent again");
    else
        claim_report(&by_udp,
                     holds_if(udp.packets == 2 && udp.round_trips == 1 &&
                              tcp.round_trips == 2 && tcp.packets > 2 * udp.packets),
                     "a question over UDP: %d packets, %d round trip; over TCP: %d and %d",
                     udp.packets, udp.round_trips, tcp.packets, tcp.round_trips);
}

// Judges the claims that need packets. `asks`: the client's port of a connection for which
// tcp_ecn was 1; 0: it could not be set, for this reason.
static void judge_packets(double connect_ms, int at_once_port, int by_halves_port, int asks,
                          int reason, struct exchange over_udp)
{
    int smallest, largest;
    enum verdict ecn_verdict = SKIPPED;
    uint32_t count = packet_log_read(packets_from, packets, PACKETS_MAX);
    struct exchange over_tcp = capture_exchange(packets, count, IPPROTO_TCP, at_once_port);
    story_head("one question|packets|round trips");
    story_row("over TCP, from SYN to FIN|%d|%d", over_tcp.packets, over_tcp.round_trips);
    story_row("over UDP|%d|%d", over_udp.packets, over_udp.round_trips);
    if (asks)
        ecn_verdict = judge_ecn(count, by_halves_port, asks);
    int three = capture_closing_segments(packets, count, at_once_port);
    int four = capture_closing_segments(packets, count, by_halves_port);
    int udp_header = header_bytes(count, IPPROTO_UDP, "#1001 state 65535");
    int tcp_header = header_bytes(count, IPPROTO_TCP, "hello\n");
    capture_tcp_headers(packets, count, &smallest, &largest);
    claim_report(&opening, holds_if(capture_opens(packets, count, at_once_port)),
                 "SYN, SYN ACK, ACK, then data; connect() took %.1f ms at RTT %g ms",
                 connect_ms, packet_log()->rtt_ms);
    for (int i = 0; i < TRIES_MAX && three == 4; i++)
        three = close_once_more();
    enum verdict verdict = UNCLEAR;
    if (four == 4 && three == 3)
        verdict = NOT_HERE;
    else if (four == 4 && three == 4)
        verdict = HOLDS;
    claim_report(&closing, verdict,
                 "%d segments when the server closes at once, %d when its half stays open",
                 three, four);
    // TCP's header says its own length. What it says has to be what lies before the text.
    bool tcp_fits = tcp_header >= 20 && tcp_header == smallest && largest > smallest;
    claim_report(&headers, holds_if(udp_header == 8 && tcp_fits && largest <= 60),
                 "UDP %d bytes; TCP %d (SYN, with its options) and %d (with \"hello\", and all "
                 "others)",
                 udp_header, largest, tcp_header);
    if (asks)
        claim_report(&ecn, ecn_verdict,
                     "a SYN asks for ECN only after sysctl tcp_ecn=1; then the server accepts");
    else
        claim_report(&ecn, SKIPPED, "cannot set tcp_ecn: %s", strerror(reason));
    report_exchange(over_tcp, over_udp);
}

void scene_handshake(void)
{
    static const char *const told[] = {"not told apart", "told apart"};
    struct ending at_once, halfway, by_halves;
    int udp = ask_open_udp();
    packets_from = packet_log_mark();
    double connect_ms = close_at_once(udp, &at_once);
    close_by_halves(udp, &halfway, &by_halves);
    story_quiet(true);
    struct exchange over_udp;
    int ports[3];
    bool asks_for_ecn = packet_log()->tunnel && set_ecn('1');
    int reason = errno;
    bool told_apart = ask_who(udp, ports, &over_udp);
    close(udp);

    if (packet_log()->tunnel) {
        int asks = 0;
        if (asks_for_ecn)
            asks = ports[0];
        set_ecn('2');
        judge_packets(connect_ms, at_once.port, by_halves.port, asks, reason, over_udp);
    } else {
        claim_skip(&opening);
        claim_skip(&closing);
        claim_skip(&headers);
        claim_skip(&ecn);
        claim_skip(&by_udp);
    }
    claim_report(&four_tuple, holds_if(told_apart),
                 "3 TCP connections and UDP at port %d at once, %s by the client's ports",
                 ask_port(), told[told_apart]);
    bool waits = is_in(&at_once, "TIME_WAIT", "gone") &&
                 is_in(&halfway, "FIN_WAIT2", "CLOSE_WAIT") &&
                 is_in(&by_halves, "TIME_WAIT", "gone");
    claim_report(&time_wait, holds_if(waits),
                 "client %s, server %s; half closed: %s, %s; then %s, %s", at_once.client_state,
                 at_once.server_state, halfway.client_state, halfway.server_state,
                 by_halves.client_state, by_halves.server_state);
    claim_report(
        &how_long,
        holds_if(at_once.time_wait_s > TIME_WAIT_S - 10 && at_once.time_wait_s <= TIME_WAIT_S),
        "%.1f s to go, just after the close: Linux waits 60 s, a constant",
        at_once.time_wait_s);
    claim_report(
        &close_wait,
        holds_if(is_in(&halfway, "FIN_WAIT2", "CLOSE_WAIT") &&
                 !strcmp(by_halves.server_state, "gone")),
        "the client's FIN has come, the server goes on writing: %s; when it has closed: "
        "%s",
        halfway.server_state, by_halves.server_state);
}
