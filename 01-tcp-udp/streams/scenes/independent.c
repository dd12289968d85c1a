// independent.c: six clocks share one connection, and one packet is lost. Each clock says the
// time now and then; the scene sees how late each line is, and which streams have to wait.
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"
#include "tell.h"

#define CLOCKS    6
#define TICKS     12
#define PERIOD_MS 60
#define TRIES     5
#define ONE_LINE  45   // bytes at most of a packet with one line in it,
#define THREE     90   // and of one with three
#define PACKETS   4096 // of one run, at most

static struct download list[CLOCKS];
static char paths[CLOCKS][40];
static const char *path_list[CLOCKS];
static bool waited[CLOCKS]; // this stream had bytes that waited for lost ones

// What came out of one run.
struct run {
    int lost_bytes;  // of the packet that was lost; 0: none was
    int lost_count;  // how many were lost
    int waiting;     // streams with bytes that waited for others before them
    int late;        // streams with lines that came half a round trip late
    double worst_ms; // the longest time that bytes waited for others before them
};

static void set_phases(const int phases[CLOCKS])
{
    for (int i = 0; i < CLOCKS; i++) {
        snprintf(paths[i], sizeof paths[i], "/ticks/%d/%d/%d", TICKS, PERIOD_MS, phases[i]);
        path_list[i] = paths[i];
    }
}

static void find_lost(uint32_t mark, uint8_t protocol, struct run *run)
{
    static struct packet packets[PACKETS];
    uint32_t count = packet_log_read(mark, packets, PACKETS);
    for (const struct packet *p = packets; p < packets + count; p++)
        if (p->fate == LOST && p->protocol == protocol) {
            run->lost_bytes = p->payload;
            run->lost_count++;
        }
}

static double least_late_ms(void)
{
    double least = 1e9;
    for (int i = 0; i < CLOCKS; i++)
        for (int k = 0; k < list[i].ticks; k++)
            if (list[i].late_ms[k] < least)
                least = list[i].late_ms[k];
    return least;
}

// A line for each clock, a column for each tick: higher is later.
static void draw(void)
{
    static const char *const height[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double least = least_late_ms();
    for (int i = 0; i < CLOCKS; i++) {
        char strip[4 * TICKS] = "";
        double worst = 0;
        for (int k = 0; k < list[i].ticks && k < TICKS; k++) {
            int step = (int)((list[i].late_ms[k] - least) * 8 / (2 * packet_log()->rtt_ms + 1));
            if (step > 7)
                step = 7;
            strcat(strip, height[step]);
            if (list[i].late_ms[k] > worst)
                worst = list[i].late_ms[k];
        }
        story_say("stream %d  %s  the latest line came after %.0f ms", i + 1, strip, worst);
    }
}

// The lines of a clock that come half a round trip later than the quickest ones.
static int late_streams(void)
{
    double limit = least_late_ms() + packet_log()->rtt_ms / 2;
    int late = 0;
    for (int i = 0; i < CLOCKS; i++) {
        bool any = false;
        for (int k = 0; k < list[i].ticks; k++)
            any = any || list[i].late_ms[k] > limit;
        late += any;
    }
    return late;
}

// Of the packets that the server sends from now on, one in the middle of all ticks is lost.
static void drop_one(const char *protocol, int packets)
{
    wire_tell("drop server %s:%d:%d", protocol, stage_port(), packets / 3);
}

static struct run run_over_udp(int packets)
{
    struct endpoint endpoint;
    struct run run = {0};
    uint32_t mark = packet_log_mark();
    drop_one("udp", packets);
    stage_open(&endpoint, list, path_list, CLOCKS);
    stage_run(&endpoint, list, CLOCKS, UINT64_MAX, PATIENCE_MS);
    if (!downloads_good(list, CLOCKS))
        die("the clocks over UDP do not come to their ends");
    for (int i = 0; i < CLOCKS; i++) {
        double ms = (double)list[i].stream->gap_longest_ns / 1e6;
        waited[i] = ms > 0;
        run.waiting += waited[i];
        if (ms > run.worst_ms)
            run.worst_ms = ms;
    }
    endpoint_close(&endpoint);
    find_lost(mark, IPPROTO_UDP, &run);
    run.late = late_streams();
    return run;
}

// The same until it is what the scene is about. When this machine is late, lines share a packet
// that should not, or all come late.
static struct run repeat_over_udp(int packets, int bytes_max)
{
    struct run run = run_over_udp(packets);
    for (int i = 1; i < TRIES && packet_log()->tunnel; i++) {
        if (run.lost_bytes <= bytes_max && run.late == run.waiting)
            break;
        run = run_over_udp(packets);
    }
    return run;
}

static struct run run_over_tcp(void)
{
    static struct tcp_client tcp;
    struct run run = {0};
    uint32_t mark = packet_log_mark();
    drop_one("tcp", CLOCKS * TICKS);
    tcp_open(&tcp, stage_host(), stage_port(), list, path_list, CLOCKS);
    tcp_run(&tcp, UINT64_MAX, PATIENCE_MS);
    tcp_close(&tcp);
    if (!downloads_good(list, CLOCKS))
        die("the clocks over TCP do not come to their ends");
    find_lost(mark, IPPROTO_TCP, &run);
    run.late = late_streams();
    return run;
}

static const struct claim own_stream = {
    "1.13", "guide §3.4", "a lost packet only affects its own stream, not others", HOLDS, NULL};
static const struct claim entirely = {
    "1.35", "guide §3.4", "independent streams eliminate head-of-line blocking entirely",
    NOT_HERE,
    "All streams with bytes in the lost packet wait, and each stream waits for its own bytes "
    "(RFC 9000 §2.2, §13)."};

static void judge(const struct run *alone, const struct run *tcp, const struct run *shared)
{
    if (!packet_log()->tunnel) {
        claim_skip(&own_stream);
        claim_skip(&entirely);
        return;
    }
    bool own = alone->lost_count == 1 && alone->waiting == 1 && alone->late == 1;
    claim_report(&own_stream, holds_if(own && tcp->lost_count == 1 && tcp->late == CLOCKS),
                 "one packet lost: %d of %d streams was late, by %.0f ms; over TCP %d of %d",
                 alone->late, CLOCKS, alone->worst_ms, tcp->late, CLOCKS);
    bool three = shared->lost_count == 1 && shared->waiting == CLOCKS / 2 &&
                 shared->late == CLOCKS / 2 && waited[0] == waited[1] && waited[1] == waited[2];
    enum verdict seen = UNCLEAR;
    if (three)
        seen = NOT_HERE;
    claim_report(&entirely, seen,
                 "the lost packet had bytes of three streams: %d waited, %.0f ms",
                 shared->waiting, shared->worst_ms);
}

void scene_independent(void)
{
    static const int apart[CLOCKS] = {0, 10, 20, 30, 40, 50},
                     threes[CLOCKS] = {0, 0, 0, 30, 30, 30};
    struct run alone = {0}, shared = {0};
    stage_check();
    story_quiet(true);
    story_say(
        "Six clocks over one connection, each a stream of its own: %d lines, one every %d "
        "ms. A column is a line; higher is later. One packet is lost.",
        TICKS, PERIOD_MS);
    set_phases(apart);
    story_say("");
    story_say("Over UDP, with streams; each packet has one clock's line:");
    alone = repeat_over_udp(CLOCKS * TICKS, ONE_LINE);
    draw();
    story_say("");
    story_say("The same over one TCP connection:");
    struct run tcp = run_over_tcp();
    draw();
    set_phases(threes);
    story_say("");
    story_say("Over UDP, and three clocks say the time at the same moment: in one packet.");
    shared = repeat_over_udp(2 * TICKS, THREE);
    draw();
    judge(&alone, &tcp, &shared);
}
