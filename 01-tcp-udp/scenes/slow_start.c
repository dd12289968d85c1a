// slow_start.c: scene slow_start: how many segments TCP dares to send before it has an answer,
// on a new connection, on one that has been used, after a lost packet and after a silence. Read
// count_rounds() beside the bars.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define BYTES       60000 // of each transfer
#define SEGMENTS    42    // full ones have 1448 bytes
#define TRANSFERS   5
#define IDLE        4    // the transfer before which the connection was silent,
#define SILENCE_MS  1500 // for several of TCP's timeouts
#define DROPPED_IN  2    // the transfer in which the wire drops a packet (run.sh: --drop)
#define INITIAL     10   // segments of a new connection's window (RFC 6928)
#define ROUNDS_MAX  20
#define PACKETS_MAX 4000

static const struct claim slow_start = {
    "1.39", "guide §7", "slow start: a new connection does not use the full bandwidth at once",
    HOLDS, NULL};
static const struct claim adapts = {
    "1.40", "guide §2.1", "congestion control adjusts the sending rate to the network", HOLDS,
    NULL};
static const struct claim at_once = {
    "1.47", "guide §7",
    "reuse avoids the overhead of slow start entirely: data can flow immediately", NOT_HERE,
    "Only while the connection is in use. After a silence of an RTO Linux halves the window, "
    "and again after each further RTO, down to that of a new connection (RFC 5681 §4.1; "
    "ip-sysctl.rst, tcp_slow_start_after_idle). The handshake is still saved."};

struct transfer {
    unsigned before, after; // the congestion window, in segments
    unsigned limit;         // up to it the window doubles, from there it grows slowly: ssthresh
    int sent[ROUNDS_MAX];   // segments in each round trip
    int rounds, segments, again;
    double round_trips; // until the answer was here
};

// A segment that the client sends, or an ACK that comes to it.
struct event {
    int64_t at_ns;   // on the client's side
    uint32_t number; // the first byte behind the segment; or the byte that the ACK asks for
    bool is_ack;
};

static struct tcp_info info_of(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
    return info;
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

// Reads the transfer's packets since `mark`, in the order in which the client saw them. An ACK
// has its sender's time in the log: it comes half a round trip later.
static int read_events(uint32_t mark, int client_port, struct event *events)
{
    static struct packet packets[PACKETS_MAX];
    uint32_t seen = packet_log_read(mark, packets, PACKETS_MAX);
    int64_t half_ns = (int64_t)(packet_log()->rtt_ms * 1e6 / 2);
    int count = 0;
    for (const struct packet *p = packets; p < packets + seen; p++) {
        if (p->protocol != IPPROTO_TCP)
            continue;
        if (p->source_port == client_port && p->payload)
            events[count++] = (struct event){p->at_ns, p->seq + p->payload, false};
        else if (p->destination_port == client_port)
            events[count++] = (struct event){p->at_ns + half_ns, p->ack, true};
    }
    qsort(events, (size_t)count, sizeof *events, by_time);
    return count;
}

static bool is_behind(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

// A round trip ends when an ACK comes for the first of its segments.
static void count_rounds(const struct event *events, int count, struct transfer *t)
{
    uint32_t highest = 0, acked_before = 0;
    for (int i = 0; i < count; i++) {
        const struct event *e = &events[i];
        if (!e->is_ack) {
            if (!t->segments)
                t->rounds = 1;
            if (t->segments && !is_behind(e->number, highest))
                t->again++;
            else
                highest = e->number;
            t->segments++;
            t->sent[t->rounds - 1]++;
        } else if (t->rounds && t->rounds < ROUNDS_MAX && is_behind(e->number, acked_before) &&
                   is_behind(highest, e->number)) {
            t->rounds++;
            acked_before = highest;
        }
        if (!e->is_ack && t->segments == 1)
            acked_before = e->number - 1;
    }
}

static void send_once(int fd, struct transfer *t)
{
    static char bytes[BYTES], answer[ANSWER_BYTES];
    static struct event events[PACKETS_MAX];
    memset(bytes, 'x', sizeof bytes);
    int command = sprintf(bytes, "swallow %07d", BYTES - 16); // 16: this line itself
    bytes[command] = '\n';
    uint32_t mark = packet_log_mark();
    *t = (struct transfer){.before = info_of(fd).tcpi_snd_cwnd};
    int64_t start_ns = now_ns();
    send_all(fd, bytes, sizeof bytes);
    if (!read_line(fd, answer))
        die("the server did not swallow the segments");
    t->round_trips = (double)(now_ns() - start_ns) / 1e6 / packet_log()->rtt_ms;
    t->after = info_of(fd).tcpi_snd_cwnd;
    t->limit = info_of(fd).tcpi_snd_ssthresh;
    count_rounds(events, read_events(mark, local_port(fd), events), t);
    while (t->rounds && !t->sent[t->rounds - 1])
        t->rounds--; // the last ACKs
}

static void show(const char *about, const struct transfer *t)
{
    story_say("");
    story_say("%s: a window of %u segments, and in the end %u", about, t->before, t->after);
    for (int i = 0; i < t->rounds; i++) {
        char label[40];
        snprintf(label, sizeof label, "  round trip %d", i + 1);
        story_bar(label, t->sent[i], SEGMENTS, "%d", t->sent[i]);
    }
}

static void judge(const struct transfer t[TRANSFERS])
{
    const struct transfer *first = &t[0], *second = &t[1], *lossy = &t[DROPPED_IN];
    bool slow = first->before == INITIAL && first->sent[0] == INITIAL && first->rounds > 2 &&
                second->sent[0] > 2 * INITIAL;
    claim_report(&slow_start, holds_if(slow),
                 "%d of %d segments go at once, all in %d round trips; a second time %d go at "
                 "once. Answers after %.1f and %.1f round trips",
                 first->sent[0], first->segments, first->rounds, second->sent[0],
                 first->round_trips, second->round_trips);
    // Reno halves the window when it notices a loss. It grows until then, by the ACKs of the
    // segments before the lost one.
    bool halved = lossy->again > 0 && 2 * lossy->limit + 2 >= lossy->before &&
                  2 * lossy->limit <= lossy->before + 2 * INITIAL;
    claim_report(
        &adapts, holds_if(halved),
        "a window of %u segments; 1 is lost, and %d sent again: then the window is %u, "
        "and grows by one segment a round trip from %u on",
        lossy->before, lossy->again, lossy->after, lossy->limit);
}

static void judge_silence(const struct transfer *busy, const struct transfer *idle)
{
    enum verdict verdict = UNCLEAR;
    if (idle->sent[0] == INITIAL && idle->rounds > busy->rounds && busy->sent[0] > 2 * INITIAL)
        verdict = NOT_HERE;
    else if (idle->sent[0] > 2 * INITIAL)
        verdict = HOLDS;
    claim_report(&at_once, verdict,
                 "in use %d segments go at once, and the answer comes after %.1f round trips; "
                 "after %.1f s of silence %d, and %.1f",
                 busy->sent[0], busy->round_trips, SILENCE_MS / 1e3, idle->sent[0],
                 idle->round_trips);
}

void scene_slow_start(void)
{
    static const char *const about[TRANSFERS] = {
        "on a new connection", "the same again", "once more, and a packet is lost",
        "after that", "after 1.5 s of silence (TCP notices it when it sends)"};
    struct transfer t[TRANSFERS];
    if (packet_log()->tunnel && packet_log()->loss > 0) {
        claim_report(&slow_start, SKIPPED, "this link loses packets by chance");
        claim_report(&adapts, SKIPPED, "this link loses packets by chance");
        claim_report(&at_once, SKIPPED, "this link loses packets by chance");
        return;
    }
    if (!packet_log()->tunnel || packet_log()->rtt_ms < 1) {
        claim_skip(&slow_start);
        claim_skip(&adapts);
        claim_skip(&at_once);
        return;
    }
    story_say("%d bytes, five times over one connection. How many segments does TCP send "
              "before an ACK tells it more?",
              BYTES);
    int fd = ask_open_tcp();
    story_quiet(true);
    for (int i = 0; i < TRANSFERS; i++) {
        if (i == IDLE)
            sleep_ms(SILENCE_MS);
        send_once(fd, &t[i]);
        show(about[i], &t[i]);
    }
    close(fd);
    judge(t);
    judge_silence(&t[1], &t[IDLE]);
}
