// handshake.c: scene handshake: how a connection begins and ends. Read close_at_once() and
// close_by_halves() beside their timelines.
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
// addresses the server sees. True if the server tells them apart by the client's ports.
static bool ask_who(int udp)
{
    int fds[3];
    story_head("what the server says about the client");
    bool right = true;
    for (int i = 0; i < 3; i++) {
        fds[i] = ask_open_tcp();
        ask_tcp(fds[i], answer, "who");
        right = right && is_right_who(fds[i], "tcp");
        for (int j = 0; j < i; j++)
            right = right && local_port(fds[j]) != local_port(fds[i]);
        story_row("%s", answer);
    }
    ask_udp(udp, answer, "who");
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
    char client_state[16]; // of the client's end, as its kernel sees it
    char server_state[16]; // of the server's end
};

// Waits until both ends have reached these states, and notes the states that they have.
static void note_states(struct ending *ending, int udp, const char *client, const char *server)
{
    await_state(ending->port, client);
    int64_t deadline = now_ns() + PATIENCE_MS * INT64_C(1000000);
    do
        ask_udp(udp, answer, "state %05d", ending->port);
    while (strcmp(answer, server) && now_ns() < deadline);
    snprintf(ending->server_state, sizeof ending->server_state, "%.15s", answer);
    snprintf(ending->client_state, sizeof ending->client_state, "%s",
             tcp_state(ending->port, ask_port()));
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

// Judges the claims that need packets.
static void judge_packets(double connect_ms, int at_once_port, int by_halves_port)
{
    int smallest, largest;
    uint32_t count = packet_log_read(packets_from, packets, PACKETS_MAX);
    int three = capture_closing_segments(packets, count, at_once_port);
    int four = capture_closing_segments(packets, count, by_halves_port);
    int udp_header = header_bytes(count, IPPROTO_UDP, "#1001 state 65535");
    int tcp_header = header_bytes(count, IPPROTO_TCP, "hello\n");
    capture_tcp_headers(packets, count, &smallest, &largest);
    claim_report(&opening, holds_if(capture_opens(packets, count, at_once_port)),
                 "SYN, SYN ACK, ACK, then data; connect() took %.1f ms at RTT %g ms",
                 connect_ms, packet_log()->rtt_ms);
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
    bool told_apart = ask_who(udp);
    close(udp);

    if (packet_log()->tunnel) {
        judge_packets(connect_ms, at_once.port, by_halves.port);
    } else {
        claim_skip(&opening);
        claim_skip(&closing);
        claim_skip(&headers);
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
        &close_wait,
        holds_if(is_in(&halfway, "FIN_WAIT2", "CLOSE_WAIT") &&
                 !strcmp(by_halves.server_state, "gone")),
        "the client's FIN has come, the server goes on writing: %s; when it has closed: "
        "%s",
        halfway.server_state, by_halves.server_state);
}
