// techniques.c: scene techniques: four readers get the same events at the same time, each by
// another technique. What does each technique cost?
#include <stdio.h>

#include "ask.h"
#include "packet_log.h"
#include "claim.h"
#include "follow.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define EVENTS      40
#define IN_A_BUNCH  65   // percent of the events that come soon after the event before
#define CLOSE_MS    6    // the longest time between two events of a bunch
#define APART_MS    200  // the shortest pause between two bunches
#define APART_TO_MS 500  // the longest one
#define GRACE_MS    4000 // the scene waits so long after the last event for late readers

static struct follower followers[WAYS];
static struct follower *const all[WAYS] = {&followers[0], &followers[1], &followers[2],
                                           &followers[3]};
static struct fetch publisher;
static int interval_ms = 80;

static double at_ms[EVENTS];         // when each event is to be published
static bool leads[EVENTS];           // the event is the first one of a bunch
static int64_t sent_ns[EVENTS];      // when it was published
static double latency[WAYS][EVENTS]; // ms from then until each reader had it
static int times[WAYS][EVENTS];      // how often each reader got it
static int published;                // events that were published
static int here;                     // events that have come, of all readers together
static int64_t start_ns;             // at_ms[] counts from this time
static int64_t last_due_ns;          // the scene ends at this time at the latest

void techniques_with(int interval)
{
    interval_ms = interval;
}

// The next of a sequence of random numbers, from 0 to 1.
static double next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return (double)(*state >> 40) / (double)(1 << 24);
}

// News comes in bunches. The times are random, but the same in each run: this is an experiment.
static void make_times(void)
{
    uint64_t random = 5;
    double t = 50;
    for (int i = 0; i < EVENTS; i++) {
        leads[i] = next_random(&random) * 100 >= IN_A_BUNCH;
        double dice = next_random(&random);
        if (i == 0)
            leads[i] = true;
        else if (leads[i])
            t += APART_MS + dice * (APART_TO_MS - APART_MS);
        else
            t += 1 + dice * CLOSE_MS;
        at_ms[i] = t;
    }
}

static void told(struct follower *f, const struct news *news)
{
    if (!http_is(news->name, "bench")) // the feed may have other events
        return;
    int number = news_number(news);
    if (number < 0 || number >= EVENTS || times[f->way][number]++)
        return;
    latency[f->way][number] = ms_between(sent_ns[number], now_ns());
    here++;
}

static bool all_connected(int64_t now, int64_t *wake_ns)
{
    (void)now;
    (void)wake_ns;
    return !followers[SERVER_SENT].connected;
}

static bool publish_and_wait(int64_t now, int64_t *wake_ns)
{
    while (published < EVENTS &&
           now >= start_ns + (int64_t)(at_ms[published] * 1e6)) { // without waiting for answers
        char data[12];
        int length = snprintf(data, sizeof data, "%d", published);
        sent_ns[published] = now_ns();
        fetch_or_die(&publisher, fetch_send(&publisher,
                                            "POST /publish?event=bench HTTP/1.1\r\n" FETCH_HOST
                                            "Content-Length: %d\r\n\r\n%s",
                                            length, data));
        published++;
    }
    *wake_ns = last_due_ns;
    if (published < EVENTS)
        *wake_ns = start_ns + (int64_t)(at_ms[published] * 1e6);
    return here < EVENTS * WAYS && now < last_due_ns;
}

// ---- the costs -----------------------------------------------------------------------------

static struct cost {
    double up, down;    // bytes for each event, to the server and to the client
    double mean, worst; // latency in ms
    int missed, twice;  // events that have not come, and events that came more than once
} costs[WAYS];

static void add_up(void)
{
    for (int way = 0; way < WAYS; way++) {
        struct cost *cost = &costs[way];
        const struct follower *f = &followers[way];
        int came = 0;
        *cost = (struct cost){.up = (double)f->fetch.up / EVENTS,
                              .down = (double)f->fetch.down / EVENTS};
        for (int i = 0; i < EVENTS; i++) {
            cost->missed += times[way][i] == 0;
            cost->twice += times[way][i] > 1;
            if (!times[way][i])
                continue;
            came++;
            cost->mean += latency[way][i];
            if (latency[way][i] > cost->worst)
                cost->worst = latency[way][i];
        }
        if (came > 0)
            cost->mean /= came;
    }
}

static void print_table(void)
{
    story_head("|requests|empty|bytes up|bytes down|mean latency|worst|missed");
    for (int way = 0; way < WAYS; way++) {
        const struct cost *cost = &costs[way];
        story_row("%s|%llu|%llu|%.0f|%.0f|%.1f ms|%.1f ms|%d", way_name[way],
                  (unsigned long long)followers[way].requests,
                  (unsigned long long)followers[way].empty, cost->up, cost->down, cost->mean,
                  cost->worst, cost->missed);
    }
    story_say("");
    story_say("mean latency");
    for (int way = 0; way < WAYS; way++)
        story_bar(way_name[way], costs[way].mean, costs[SHORT_POLLING].mean, "%.1f ms",
                  costs[way].mean);
    double most = 0;
    for (int way = 0; way < WAYS; way++)
        if (costs[way].up + costs[way].down > most)
            most = costs[way].up + costs[way].down;
    story_say("");
    story_say("bytes for each event, both directions together");
    for (int way = 0; way < WAYS; way++)
        story_bar(way_name[way], costs[way].up + costs[way].down, most, "%.0f bytes",
                  costs[way].up + costs[way].down);
}

// How many ms later than by SSE an event comes by this way: the median of the events that are
// the first of a bunch (`leading`), or of all others.
static double later_than_sse(enum way way, bool leading)
{
    double later[EVENTS];
    int count = 0;
    for (int i = 0; i < EVENTS; i++)
        if (leads[i] == leading && times[way][i] && times[SERVER_SENT][i])
            later[count++] = latency[way][i] - latency[SERVER_SENT][i];
    double median = median_of(later, count);
    if (median < 0)
        return 0;
    return median;
}

// ---- claims --------------------------------------------------------------------------------

static const struct claim short_polling = {
    "5.1", "guide §4.3", "short polling: most polls empty; latency up to the interval", HOLDS,
    NULL};

static const struct claim long_polling = {"5.2", "guide §4.3, patterns page",
                                          "long polling: fewer requests, lower latency", HOLDS,
                                          NULL};

static const struct claim one_request = {
    "5.3", "guide §4.2, §15.1", "SSE is one ordinary request that the server keeps open", HOLDS,
    NULL};

static const struct claim not_real_time = {
    "5.8", "design patterns, patterns page",
    "long polling is not real time (the patterns page: it is)", NOT_HERE,
    "The answer to a held request is as quick as an "
    "event of a stream. Only an event that happens "
    "while an answer is on its way has to wait for the "
    "next request: at most one round trip (RFC "
    "6202 §2.2)."};

static const struct claim lowest = {
    "5.46", "guide §4.3, §15.2, §15.10, ch. 18.6",
    "latency: of WebSockets the lowest; SSE is not for less than 100 ms", NOT_HERE,
    "Both wait with an open connection, and an event is one write() to it. What differs is the "
    "way up: by SSE it is a request."};

static const struct claim bidirectional = {
    "5.48", "design patterns", "push requires a bidirectional protocol", NOT_HERE,
    "After its request the reader of a stream sends nothing (HTML, server-sent events, §9.2)."};

// The reason why latency cannot be judged on this link; NULL if it can.
static const char *no_latency(void)
{
    if (packet_log()->loss > 0)
        return "on this link lost packets decide the latency";
    if (packet_log()->rate > 0 && packet_log()->rate < 1000)
        return "on this link the rate decides the latency";
    if (packet_log()->rtt_ms > APART_MS / 2)
        return "on this link a round trip is as long as a pause of the news";
    return NULL;
}

// The reason why short polling cannot be judged on this link; NULL if it can.
static const char *no_polling(void)
{
    if (no_latency())
        return no_latency();
    if (packet_log()->rtt_ms > interval_ms)
        return "on this link an answer takes longer than the interval";
    if (interval_ms > APART_MS / 2)
        return "a client that asks so rarely finds news most of the time";
    return NULL;
}

static void judge_short_polling(double interval)
{
    const struct follower *polls = &followers[SHORT_POLLING];
    double later = costs[SHORT_POLLING].mean - costs[SERVER_SENT].mean;
    bool most_empty = polls->empty * 2 > polls->requests;
    enum verdict verdict = UNCLEAR;
    if (!costs[SHORT_POLLING].missed && most_empty && later > interval / 5 && later < interval)
        verdict = HOLDS;
    claim_report(&short_polling, verdict,
                 "%llu of %llu answers are empty. The client asks every %.0f ms, and an event "
                 "comes %.0f ms later than by SSE, on average",
                 (unsigned long long)polls->empty, (unsigned long long)polls->requests,
                 interval, later);
}

static void judge_long_polling(void)
{
    const struct follower *polls = &followers[SHORT_POLLING], *waits = &followers[LONG_POLLING];
    double mean = costs[LONG_POLLING].mean, polled = costs[SHORT_POLLING].mean;
    if (!packet_log()->tunnel) {
        claim_skip(&long_polling);
        return;
    }
    if (packet_log()->rtt_ms < 2 * CLOSE_MS) {
        claim_report(&long_polling, SKIPPED,
                     "on this link a request is back before the next event of a bunch");
        return;
    }
    if (2 * packet_log()->rtt_ms > interval_ms) { // the later events of a bunch wait for it
        claim_report(&long_polling, SKIPPED,
                     "on this link the next request comes no sooner than a poll: %.1f ms, %.1f",
                     mean, polled);
        return;
    }
    bool fewer = waits->requests * 10 < polls->requests * 8 && !waits->empty;
    enum verdict verdict = UNCLEAR;
    if (!costs[LONG_POLLING].missed && fewer && mean < polled)
        verdict = HOLDS;
    claim_report(&long_polling, verdict,
                 "%llu requests instead of %llu, of which %llu had an empty answer; %.1f ms "
                 "instead of %.1f",
                 (unsigned long long)waits->requests, (unsigned long long)polls->requests,
                 (unsigned long long)waits->empty, mean, polled);
}

static void judge_polling(double interval)
{
    if (no_polling()) {
        claim_report(&short_polling, SKIPPED, "%s", no_polling());
        claim_report(&long_polling, SKIPPED, "%s", no_polling());
        return;
    }
    judge_short_polling(interval);
    judge_long_polling();
}

static void judge_one_request(void)
{
    const struct cost *sse = &costs[SERVER_SENT], *wait = &costs[LONG_POLLING];
    double bytes = sse->up + sse->down, polled = wait->up + wait->down;
    enum verdict verdict = UNCLEAR;
    if (followers[SERVER_SENT].requests == 1 && !sse->missed && !sse->twice &&
        bytes * 2 < polled)
        verdict = HOLDS;
    claim_report(
        &one_request, verdict,
        "%llu request for %d events, %.0f bytes for each; by long polling %.0f. Heads are "
        "as short as they can be here: a browser's have 400 bytes and more",
        (unsigned long long)followers[SERVER_SENT].requests, EVENTS, bytes, polled);
}

static void judge_real_time(double interval)
{
    if (no_latency()) {
        claim_report(&not_real_time, SKIPPED, "%s", no_latency());
        return;
    }
    double leading = later_than_sse(LONG_POLLING, true);
    double following = later_than_sse(LONG_POLLING, false);
    enum verdict verdict = UNCLEAR;
    if (leading < interval / 4)
        verdict = NOT_HERE;
    else if (leading > interval / 2)
        verdict = HOLDS;
    claim_report(&not_real_time, verdict,
                 "an event after a pause comes %.1f ms later than by SSE, an event in a bunch "
                 "%.1f ms (medians)",
                 leading, following);
}

static void judge_lowest(void)
{
    double later = later_than_sse(WEB_SOCKET, true), sse = costs[SERVER_SENT].mean;
    if (!packet_log()->tunnel) {
        claim_skip(&lowest);
        return;
    }
    if (no_latency() || packet_log()->rtt_ms < 10) {
        claim_report(&lowest, SKIPPED, "%s",
                     no_latency() ? no_latency() : "over so short a distance nothing is slow");
        return;
    }
    enum verdict verdict = UNCLEAR;
    double quarter = packet_log()->rtt_ms / 4;
    if (later > -quarter && later < quarter && sse < 100)
        verdict = NOT_HERE;
    else if (later < -quarter)
        verdict = HOLDS;
    claim_report(&lowest, verdict,
                 "over a distance of %g ms: WebSocket %.1f ms, SSE %.1f ms, on average",
                 packet_log()->rtt_ms, costs[WEB_SOCKET].mean, sse);
}

static void judge_push(void)
{
    const struct follower *sse = &followers[SERVER_SENT];
    enum verdict verdict = UNCLEAR;
    if (sse->requests == 1 && !costs[SERVER_SENT].missed)
        verdict = NOT_HERE;
    claim_report(&bidirectional, verdict,
                 "by SSE the server pushed %d events; the client sent one request, %llu bytes",
                 EVENTS, (unsigned long long)sse->fetch.up);
}

void scene_techniques(void)
{
    make_times();
    ask_open(&publisher);
    uint64_t newest = server_figure("", "newest");
    story_say("%d events come in bunches, at random times. There are four readers; the short "
              "polls are %d ms apart. The latency of an event is the time from the POST that "
              "publishes it until a reader has it: at least a round trip.",
              EVENTS, interval_ms);
    for (int way = 0; way < WAYS; way++)
        follower_begin(&followers[way], (enum way)way, newest, interval_ms, told);
    follow(all, WAYS, all_connected);
    start_ns = now_ns();
    last_due_ns = start_ns + (int64_t)((at_ms[EVENTS - 1] + GRACE_MS) * 1e6);
    follow(all, WAYS, publish_and_wait);
    double took_ms = ms_between(start_ns, now_ns());
    for (int way = 0; way < WAYS; way++)
        follower_end(&followers[way]);
    fetch_close(&publisher);
    add_up();
    print_table();
    double asked = (double)followers[SHORT_POLLING].requests;
    double interval = took_ms / asked; // the real one: a poll waits for the answer before it
    judge_polling(interval);
    judge_one_request();
    judge_real_time(interval);
    judge_lowest();
    judge_push();
}
