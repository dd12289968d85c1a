// client.c: the 40 milliseconds that nobody ordered.
//
// Run:    ./client             against ./server in another terminal, or, with packets to see:
//         make run             or one scene: make run SCENE=distance ARGS="--rtt 100"
// Watch:  four ways to send the same header and body, and what each of them costs.
//
// Read send_request() in request.c first: the whole lesson is in its four cases.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "packet_log.h"
#include "claim.h"
#include "measure.h"
#include "net.h"
#include "options.h"
#include "protocol.h"
#include "request.h"
#include "story.h"

#define STALLS       20 // requests of each kind on loopback
#define DISTANT      7  // and over a distance
#define REQUESTS_MAX 20
#define WARM_UP      4 // requests before the one that is drawn
#define SMALLS       3
#define TYPED_BYTES  1000
#define PACKETS_MAX  8000

static const char *const way_name[WAYS] = {"two write()s", "two write()s, TCP_NODELAY",
                                           "one writev()", "two write()s, TCP_CORK"};

static const char *host = "127.0.0.1";
static int port = 8009, body_bytes = 100;
static struct packet packets[PACKETS_MAX];

// ---- one request ---------------------------------------------------------------------------

static int open_connection(void)
{
    // A server that never answers shall not hold us for ever.
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    int fd = net_connect_or_die(host, port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

// One request and its answer, in milliseconds.
static double time_request(int fd, enum way way, uint32_t flags)
{
    int64_t start = now_ns();
    send_request(fd, way, (uint32_t)body_bytes, flags);
    await_answer(fd);
    return (double)(now_ns() - start) / 1e6;
}

// ---- many requests -------------------------------------------------------------------------

struct figures {
    double mean_ms, median_ms, longest_ms, shortest_ms;
    double segments; // that carry data, from us, for each request
};

// Sends `count` requests on a connection of their own.
static struct figures measure(enum way way, int count, uint32_t flags)
{
    double times[REQUESTS_MAX], sum = 0;
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    int fd = open_connection();
    time_request(fd, way, flags); // the first is special: Linux acknowledges it at once
    for (int i = 0; i < count; i++)
        sum += times[i] = time_request(fd, way, flags);
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
    close(fd);
    double median = median_of(times, (size_t)count);
    return (struct figures){sum / count, median, times[count - 1], times[0],
                            (double)info.tcpi_data_segs_out / (count + 1)};
}

static void show_figures(struct figures figures[WAYS])
{
    char titles[80];
    snprintf(titles, sizeof titles, "a request of 4 + %d bytes|mean|median|longest|segments",
             body_bytes);
    story_head(titles);
    for (int way = 0; way < WAYS; way++)
        story_row("%s|%.2f ms|%.2f ms|%.2f ms|%.1f", way_name[way], figures[way].mean_ms,
                  figures[way].median_ms, figures[way].longest_ms, figures[way].segments);
    story_say("");
    double longest = 0;
    for (int way = 0; way < WAYS; way++)
        longest = figures[way].median_ms > longest ? figures[way].median_ms : longest;
    for (int way = 0; way < WAYS; way++)
        story_bar(way_name[way], figures[way].median_ms, longest, "%.2f ms",
                  figures[way].median_ms);
}

// True if `with` is what Nagle costs: longer by most of a delayed ACK (TCP_DELACK_MIN: 40 ms at
// least), and by far longer than without it, whatever else this machine is doing.
static bool stalls(double with_ms, double without_ms)
{
    return with_ms >= without_ms + 30 && with_ms >= 1.7 * without_ms;
}

// ---- the scenes ----------------------------------------------------------------------------

static const struct claim on_localhost = {"9.6", "guide §10.1",
                                          "Nagle might not cause issues on localhost", NOT_HERE,
                                          "The wait is for a delayed ACK, and that is a timer "
                                          "of 40 ms or more (TCP_DELACK_MIN in the "
                                          "kernel's include/net/tcp.h), not a distance."};
static const struct claim nodelay = {"9.4", "guide §10.1", "TCP_NODELAY removes the delay",
                                     HOLDS, NULL};

// True if the server is on this machine: both ends of a connection have the same address.
static bool is_here(void)
{
    char ours[NET_NAME], its[NET_NAME];
    int fd = open_connection();
    net_local_name(fd, ours);
    net_peer_name(fd, its);
    close(fd);
    const char *port_of_its = strrchr(its, ':');
    return port_of_its && !strncmp(ours, its, (size_t)(port_of_its + 1 - its));
}

static void scene_stall(void)
{
    struct figures figures[WAYS];
    bool here = is_here();
    story_say("Write the header, write the body, read the answer, %d times%s.", STALLS,
              here ? ", on loopback" : "");
    for (int way = 0; way < WAYS; way++)
        figures[way] = measure(way, STALLS, 0);
    show_figures(figures);
    double with = figures[NAGLE].median_ms, without = figures[NODELAY].median_ms;
    if (here)
        claim_report(&on_localhost, stalls(with, without) ? NOT_HERE : HOLDS,
                     "%.1f ms a request, %.2f ms without Nagle, and no distance at all", with,
                     without);
    else
        claim_report(&on_localhost, SKIPPED, "this server is not on localhost");
    bool one_segment = figures[ONE_WRITEV].segments < 1.05 && figures[CORK].segments < 1.05;
    bool all_quick = stalls(with, without) && stalls(with, figures[ONE_WRITEV].median_ms) &&
                     stalls(with, figures[CORK].median_ms);
    claim_report(
        &nodelay, all_quick && one_segment ? HOLDS : UNCLEAR,
        "%.2f ms a request; %.2f with one writev(), %.2f with TCP_CORK, in %.0f segment",
        without, figures[ONE_WRITEV].median_ms, figures[CORK].median_ms,
        figures[ONE_WRITEV].segments);
}

static const struct claim waits = {"9.1", "guide §10.1",
                                   "small writes wait for an ACK, 40 to 200 ms", HOLDS, NULL};

static void scene_distance(void)
{
    struct figures figures[WAYS];
    int fd = open_connection();
    for (int i = 0; i < WARM_UP; i++)
        time_request(fd, NAGLE, 0);
    story_say(
        "One request in two write()s. Look at what happens between the first and the second.");
    story_timeline();
    story_event("write(4), write(%d)", body_bytes);
    double took_ms = time_request(fd, NAGLE, 0);
    story_event("the answer, after %.1f ms", took_ms);
    story_quiet(true);
    close(fd);
    for (int way = 0; way < WAYS; way++)
        figures[way] = measure(way, DISTANT, 0);
    show_figures(figures);
    double with = figures[NAGLE].median_ms, without = figures[NODELAY].median_ms;
    if (packet_log()->tunnel)
        claim_report(&waits, stalls(with, without) ? HOLDS : UNCLEAR,
                     "%.1f ms a request, %.1f ms without Nagle: %.1f more, at RTT %g ms", with,
                     without, with - without, packet_log()->rtt_ms);
    else
        claim_skip(&waits);
}

// The packets with new data from us since `mark`, and how many of them set out before anything
// came back from the server. What is sent again says nothing about Nagle.
static void count_segments(uint32_t mark, int *segments, int *before_reply)
{
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX), next_seq = 0;
    bool replied = false;
    *segments = *before_reply = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t end_seq = packets[i].seq + packets[i].payload;
        replied = replied || !packets[i].to_server;
        if (!packets[i].to_server || !packets[i].payload ||
            (*segments && (int32_t)(end_seq - next_seq) <= 0))
            continue;
        next_seq = end_seq;
        *segments += 1;
        *before_reply += !replied;
    }
}

static const struct claim remainder_waits = {
    "9.3", "guide §10.1", "of 5000 bytes the last 620 wait for an ACK", NOT_HERE,
    "Linux holds a small segment back only while another *small* one is not acknowledged "
    "(Minshall's rule: tcp_minshall_check() in net/ipv4/tcp_output.c); full ones do not "
    "count."};

static void scene_remainder(void)
{
    int segments, before_reply;
    int fd = open_connection();
    story_say("5000 bytes in one write(), Nagle on: three full segments and a small one.");
    story_timeline();
    uint32_t mark = packet_log_mark();
    int64_t start = now_ns();
    story_event("writev(5000)");
    send_request(fd, ONE_WRITEV, 5000 - HEADER_BYTES, 0);
    await_answer(fd);
    double took_ms = (double)(now_ns() - start) / 1e6;
    story_event("the answer, after %.1f ms", took_ms);
    story_quiet(true);
    close(fd);
    count_segments(mark, &segments, &before_reply);
    if (!packet_log()->tunnel)
        claim_skip(&remainder_waits);
    else if (packet_log()->loss > 0 || segments < 2)
        claim_report(&remainder_waits, SKIPPED, "on this link %d segments went: %s", segments,
                     segments < 2 ? "there is no remainder" : "some may have been lost");
    else
        claim_report(
            &remainder_waits,
            before_reply == segments       ? NOT_HERE
            : before_reply == segments - 1 ? HOLDS
                                           : UNCLEAR,
            "%d of %d segments set out before any ACK came; answer after %.1f ms, RTT %g",
            before_reply, segments, took_ms, packet_log()->rtt_ms);
}

static const struct claim small_waits = {
    "9.2", "guide §10.1", "500 bytes are not sent immediately, because 500 < 1460", NOT_HERE,
    "With nothing in flight they go at once (RFC 896, and the notes' own rule 1)."};

static void scene_small(void)
{
    double quickest_ms = 0;
    int fd = open_connection();
    story_say("%d times 500 bytes in one write(), Nagle on, each after the answer to the last.",
              SMALLS);
    story_timeline();
    for (int i = 0; i < SMALLS && packet_log()->tunnel; i++) {
        uint32_t mark = packet_log_mark();
        int64_t start = now_ns();
        send_request(fd, ONE_WRITEV, 500 - HEADER_BYTES, 0);
        await_answer(fd);
        packet_log_read(mark, packets, PACKETS_MAX);
        const struct packet *p = packets; // ours with the 500 bytes; an ACK may come before it
        while (!p->to_server || !p->payload)
            p++;
        double waited_ms = (double)(p->at_ns - start) / 1e6;
        if (i == 0 || waited_ms < quickest_ms)
            quickest_ms = waited_ms;
    }
    close(fd);
    if (packet_log()->tunnel && packet_log()->rtt_ms > 0)
        claim_report(&small_waits, quickest_ms < packet_log()->rtt_ms / 2 ? NOT_HERE : HOLDS,
                     "the quickest was on its way %.2f ms after the write()", quickest_ms);
    else
        claim_skip(&small_waits);
}

static const struct claim saves = {"9.5", "guide §10.1",
                                   "Nagle saves bandwidth when bytes are written one by one",
                                   HOLDS, NULL};

static bool both_finished(const struct packet *list, uint32_t count)
{
    int finished = 0;
    for (uint32_t i = 0; i < count; i++)
        finished += (list[i].flags & TCP_FIN) != 0;
    return finished >= 2;
}

// Writes TYPED_BYTES bytes one at a time, a millisecond apart, and counts what it took on the
// wire, from the SYN to the last FIN: packets both ways, bytes both ways, data segments.
static void type_bytes(bool no_delay, uint32_t *count, long *wire_bytes, int *segments)
{
    uint32_t header = htonl(TYPED_BYTES - HEADER_BYTES), mark = packet_log_mark();
    char bytes[TYPED_BYTES] = {0};
    int before_reply, fd = open_connection();
    memcpy(bytes, &header, sizeof header);
    set_option(fd, TCP_NODELAY, no_delay);
    for (int i = 0; i < TYPED_BYTES; i++, sleep_ms(1))
        put(fd, &bytes[i], 1);
    await_answer(fd);
    close(fd);
    *count = 0;
    *wire_bytes = *segments = 0;
    if (!packet_log()->tunnel)
        return;
    // No answer tells that the last ACKs and FINs have passed.
    int64_t deadline_ns = now_ns() + PATIENCE_MS * INT64_C(1000000);
    for (; !both_finished(packets, *count) && now_ns() < deadline_ns; sleep_ms(1))
        *count = packet_log_read(mark, packets, PACKETS_MAX);
    for (uint32_t i = 0; i < *count; i++)
        *wire_bytes += packets[i].length;
    count_segments(mark, segments, &before_reply);
}

static void scene_telnet(void)
{
    static const char *const names[] = {"Nagle", "TCP_NODELAY"};
    uint32_t count[2];
    long wire_bytes[2];
    int segments[2];
    story_say("%d bytes, written one by one, a millisecond apart, as if somebody typed.",
              TYPED_BYTES);
    for (int i = 0; i < 2; i++)
        type_bytes(i == 1, &count[i], &wire_bytes[i], &segments[i]);
    if (!packet_log()->tunnel) {
        claim_skip(&saves);
        return;
    }
    story_head("on the wire, both ways|segments|packets|bytes|per byte");
    for (int i = 0; i < 2; i++)
        story_row("%s|%d|%u|%ld|%.1f", names[i], segments[i], count[i], wire_bytes[i],
                  (double)wire_bytes[i] / TYPED_BYTES);
    story_say("");
    for (int i = 0; i < 2; i++)
        story_bar(names[i], (double)wire_bytes[i], (double)wire_bytes[1], "%ld bytes",
                  wire_bytes[i]);
    if (packet_log()->rtt_ms < 5)
        claim_report(&saves, SKIPPED, "RTT %g ms: an ACK comes before the next byte to collect",
                     packet_log()->rtt_ms);
    else
        claim_report(&saves, segments[0] > 0 && segments[1] > 3 * segments[0] ? HOLDS : UNCLEAR,
                     "%d segments, %ld bytes with Nagle; %d segments, %ld bytes without",
                     segments[0], wire_bytes[0], segments[1], wire_bytes[1]);
}

static const struct claim one_round_trip = {
    "9.8", "guide §10.1", "after sending data a small write waits at least one RTT", HOLDS,
    NULL};

static void scene_quickack(void)
{
    story_say(
        "Two halves make the stall: our Nagle, and the server's delayed ACK. Take away one:");
    double both = measure(NAGLE, DISTANT, 0).median_ms;
    double quick = measure(NAGLE, DISTANT, QUICKACK).median_ms;
    double none = measure(NODELAY, DISTANT, 0).shortest_ms; // nothing else makes it wait
    bool nearer =
        quick - none <= (both - none + packet_log()->rtt_ms) / 2; // to an RTT than to both
    story_say("");
    story_bar("Nagle, delayed ACK", both, both, "%.1f ms", both);
    story_bar("Nagle, TCP_QUICKACK", quick, both, "%.1f ms", quick);
    story_bar("TCP_NODELAY", none, both, "%.1f ms", none);
    if (packet_log()->tunnel && packet_log()->loss > 0)
        claim_report(&one_round_trip, SKIPPED,
                     "on this link lost packets cost more than Nagle");
    else if (packet_log()->tunnel && packet_log()->rtt_ms > 0)
        claim_report(
            &one_round_trip,
            nearer && quick >= none + 0.9 * packet_log()->rtt_ms ? HOLDS : UNCLEAR,
            "%.1f ms with an ACK at once, %.1f ms without Nagle: %.1f more, at RTT %g ms",
            quick, none, quick - none, packet_log()->rtt_ms);
    else
        claim_skip(&one_round_trip);
}

// --------------------------------------------------------------------------------------------

int main(int argc, char **argv)
{
    static const struct scene scenes[] = {
        {"stall", "two small write()s and a read(), on one machine", scene_stall},
        {"distance", "the same, far away", scene_distance},
        {"remainder", "the last part of a large write()", scene_remainder},
        {"small", "one small write()", scene_small},
        {"telnet", "what Nagle is for", scene_telnet},
        {"quickack", "the receiver's half of the problem", scene_quickack},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"body", OPTION_INT, &body_bytes, 1, BODY_MAX_BYTES, "bytes in the second write()"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){
            "[SCENE]",
            "Lesson 09: Nagle and the delayed ACK. Without SCENE all of them: stall,\n"
            "distance, remainder, small, telnet, quickack.",
            options});
    story_begin();
    return story_tell(scenes, argv[first]);
}
