// client.c: two ways to send bytes, scene by scene.
//
// Run:    ./client             against ./server in another terminal, or, with packets to see:
//         make run             or one scene: make run SCENE=loss ARGS="--loss 30"
// Watch:  what the kernel does for a TCP client that nobody does for a UDP client.
//
// Each scene_*() is on its own: read any of them beside the output of its name.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ask.h"
#include "packet_log.h"
#include "capture.h"
#include "claim.h"
#include "handshake.h"
#include "net.h"
#include "options.h"
#include "pressure.h"
#include "story.h"

#define PACKETS_MAX 4000 // that a scene looks at
#define MTU_MAX     65536
#define SEGMENTS    5 // of scene segments

static const char *host = "127.0.0.1";
static int port = 8001;

static char answer[ANSWER_BYTES];
static struct packet packets[PACKETS_MAX];

// ---- boundaries ----------------------------------------------------------------------------

static const struct claim boundaries = {
    "1.4", "guide §2", "TCP is a stream of bytes, UDP keeps message boundaries", HOLDS, NULL};

// Waits until `bytes` bytes can be read at once.
static void await_bytes(int fd, int bytes)
{
    int64_t deadline = now_ns() + PATIENCE_MS * INT64_C(1000000);
    for (int waiting = 0; waiting < bytes; sleep_ms(1)) {
        if (ioctl(fd, FIONREAD, &waiting) || now_ns() > deadline)
            die("only %d of %d bytes have come", waiting, bytes);
    }
}

static void scene_boundaries(void)
{
    int udp = ask_open_udp(), tcp = ask_open_tcp(), datagrams = 0;
    ask_tcp(tcp, answer, "hello"); // it is accepted now
    story_say(
        "The server calls send() three times: 6 bytes, 6 bytes, 6 bytes. We call recv().");
    story_timeline();
    send_all(tcp, "say 3 hello\n", 12);
    await_bytes(tcp, 18);
    ssize_t all = recv(tcp, answer, sizeof answer, 0);
    story_event("TCP: one recv() = %zd bytes: three messages, and no mark between them", all);

    send_all(udp, "say 3 hello!", 12);
    ssize_t got[3] = {0};
    for (; datagrams < 3; datagrams++) {
        if (!await_udp(udp, answer, now_ns() + PATIENCE_MS * INT64_C(1000000)))
            break;
        got[datagrams] = (ssize_t)strlen(answer);
        story_event("UDP: recv() = %zd bytes: one message", got[datagrams]);
    }

    story_say("Once more, with a buffer of only 4 bytes:");
    story_timeline();
    ask_tcp(tcp, answer, "forget");
    send_all(tcp, "hello\n", 6);
    send_all(udp, "hello!", 6);
    await_bytes(tcp, 6);
    ssize_t first = recv(tcp, answer, 4, 0), second = recv(tcp, answer + 4, 4, 0);
    story_event("TCP: recv() = %zd, recv() = %zd: the rest was still there", first, second);
    await_bytes(udp, 6);
    ssize_t cut = recv(udp, answer, 4, 0);
    ssize_t rest = recv(udp, answer + 4, 4, MSG_DONTWAIT);
    story_event("UDP: recv() = %zd, recv(): %s: the rest is gone", cut, strerror(errno));

    bool stream = all == 18 && first == 4 && second == 2;
    bool messages =
        datagrams == 3 && got[0] == 6 && got[1] == 6 && got[2] == 6 && cut == 4 && rest == -1;
    claim_report(&boundaries, stream && messages ? HOLDS : UNCLEAR,
                 "3 sends: 1 recv() of %zd bytes over TCP, %d recv() of %zd over UDP", all,
                 datagrams, got[0]);
    close(tcp);
    close(udp);
}

// ---- segments ------------------------------------------------------------------------------

static const struct claim segment = {
    "1.6", "guide §5, §8.1", "an MSS of 1460 carries roughly 1388 bytes", NOT_HERE,
    "It carries 1448: the timestamps option takes 12 bytes of each segment (RFC 7323 §3.2). "
    "1388 = 1400 - 12 is what is left where a tunnel or a balancer clamps the MSS to 1400."};

// Sends 5 full segments' worth of bytes, with at most `clamp` bytes of MSS (0: as it comes),
// and reads from the packets what MSS was announced and how many bytes one carried.
static void send_segments(int total, int clamp, int *payload, int *mss)
{
    static char bytes[SEGMENTS * MTU_MAX];
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_STREAM, &address);
    uint32_t mark = packet_log_mark();
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || (clamp && setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &clamp, sizeof clamp)))
        die("cannot make a socket with an MSS of %d: %s", clamp, strerror(errno));
    if (connect(fd, (struct sockaddr *)&address, length))
        die("cannot connect to %s:%d: %s (is the server running?)", host, port,
            strerror(errno));
    memset(bytes, 'x', sizeof bytes);
    int command = sprintf(bytes, "swallow %07d", total - 16); // 16: this line itself
    bytes[command] = '\n';
    send_all(fd, bytes, (size_t)total);
    if (!read_line(fd, answer))
        die("the server did not swallow the segments");
    capture_segment_size(packets, packet_log_read(mark, packets, PACKETS_MAX), local_port(fd),
                         payload, mss);
    close(fd);
}

static void scene_segments(void)
{
    int payload, mss, clamped_payload, clamped_mss;
    int total = SEGMENTS * (packet_log()->tunnel ? packet_log()->mtu - 40 : 1460);
    story_say("One send() of %d bytes. TCP cuts it where a packet is full.", total);
    story_timeline();
    send_segments(total, 0, &payload, &mss);
    story_quiet(true);
    send_segments(total, 1400, &clamped_payload, &clamped_mss);
    if (!packet_log()->tunnel) {
        claim_skip(&segment);
        return;
    }
    story_head("bytes|as it comes|clamped");
    story_row("IP packet (MTU)|%d|", packet_log()->mtu);
    story_row("- IP header 20, TCP header 20|%d|", packet_log()->mtu - 40);
    story_row("= MSS, in the SYN|%d|%d", mss, clamped_mss);
    story_row("- timestamps option|%d|%d", mss - payload, clamped_mss - clamped_payload);
    story_row("= data in a full segment|%d|%d", payload, clamped_payload);
    claim_report(&segment,
                 payload == mss - 12 && mss == packet_log()->mtu - 40 ? NOT_HERE
                 : mss == 1460 && payload == 1388                     ? HOLDS
                                                                      : UNCLEAR,
                 "MSS %d, %d bytes of data in a full segment; MSS %d, %d", mss, payload,
                 clamped_mss, clamped_payload);
}

// ---- queries -------------------------------------------------------------------------------

static const struct claim ids = {"1.12", "design patterns",
                                 "UDP is stateless, so a query carries an id (as DNS does)",
                                 HOLDS, NULL};

struct query {
    int id;
    const char *text;     // what to send after "#ID "
    const char *expected; // the answer that belongs to it
    bool answered, right;
};

// Sends those of the queries that are still open, then takes answers until all are there or
// the time is up. Returns how many are open; notes in `order` who was answered when.
static int ask_round(int udp, struct query *queries, int count, int *order, int *answered)
{
    int open = 0, id, used = 0;
    for (int i = 0; i < count; i++) {
        char text[80];
        if (queries[i].answered)
            continue;
        snprintf(text, sizeof text, "#%d %s", queries[i].id, queries[i].text);
        story_event("send(\"%s\")", text);
        send_all(udp, text, strlen(text));
        open++;
    }
    int64_t until_ns = now_ns() + ask_timeout_ms() * INT64_C(1000000);
    while (open && await_udp(udp, answer, until_ns)) {
        if (sscanf(answer, "#%d %n", &id, &used) != 1)
            continue;
        for (int i = 0; i < count; i++) {
            if (queries[i].id != id || queries[i].answered)
                continue;
            story_event("recv() \"%s\": the answer to #%d", answer, id);
            queries[i].answered = true;
            queries[i].right = !strcmp(answer + used, queries[i].expected);
            open--;
            order[(*answered)++] = id;
        }
    }
    return open;
}

static void scene_queries(void)
{
    int udp = ask_open_udp(), order[4], answered = 0, rounds = 1, tries = 1;
    struct query two[] = {{.id = 17, .text = "after 150 slow", .expected = "slow"},
                          {.id = 18, .text = "after 0 fast", .expected = "fast"}};
    struct query lost[] = {{.id = 19, .text = "after 0 third", .expected = "third"}};
    story_say("Two questions at once; the server needs longer for the first one.");
    story_timeline();
    while (ask_round(udp, two, 2, order, &answered) && rounds++ < TRIES_MAX)
        story_event("no answer within %d ms: ask again", ask_timeout_ms());
    while (ask_round(udp, lost, 1, order, &answered) && tries++ < TRIES_MAX)
        story_event("no answer within %d ms: ask again", ask_timeout_ms());
    close(udp);
    bool all = two[0].answered && two[1].answered && lost[0].answered;
    bool right = two[0].right && two[1].right && lost[0].right;
    bool overtaken = order[0] == 18 && order[1] == 17;
    if (!all)
        claim_report(&ids, SKIPPED, "no answer to one of them in %d tries", TRIES_MAX);
    else if (right && !overtaken && rounds > 1)
        claim_report(&ids, SKIPPED, "a lost packet kept the answers in the questions' order");
    else
        claim_report(&ids, overtaken && right ? HOLDS : UNCLEAR,
                     "#17 and #18 answered in the order #%d, #%d; #19 after %d tr%s", order[0],
                     order[1], tries, tries == 1 ? "y" : "ies");
}

// --------------------------------------------------------------------------------------------

// Sends a text to any echo service (RFC 862), over TCP and over UDP, and prints what comes
// back.
static int say(const char *text)
{
    int tcp = ask_open_tcp(), udp = ask_open_udp();
    send_all(tcp, text, strlen(text));
    send_all(tcp, "\n", 1);
    if (!read_line(tcp, answer))
        die("no answer over TCP");
    printf("tcp: %s\n", answer);
    send_all(udp, text, strlen(text));
    if (!await_udp(udp, answer, now_ns() + PATIENCE_MS * INT64_C(1000000)))
        die("no answer over UDP");
    printf("udp: %s\n", answer);
    close(tcp);
    close(udp);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct scene scenes[] = {
        {"handshake", "how a connection begins and ends", scene_handshake},
        {"boundaries", "a stream of bytes, or messages", scene_boundaries},
        {"loss", "what arrives over a lossy link", scene_loss},
        {"flow", "a reader that cannot keep up", scene_flow},
        {"segments", "how many bytes a packet carries", scene_segments},
        {"queries", "which answer belongs to which question", scene_queries},
        {0}};
    static const char *text;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its TCP and UDP port"},
        {"say", OPTION_TEXT, &text,
         .help = "no scene: send TEXT to an echo service, print the answers"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){
            "[SCENE]",
            "Lesson 01: two ways to send bytes. Without SCENE all of them: handshake,\n"
            "boundaries, loss, flow, segments, queries.",
            options});
    story_begin();
    ask_server(host, port);
    return text ? say(text) : story_tell(scenes, argv[first]);
}
