// techniques.c: the same events, told in four ways at once, and what each way costs.
#include <stdio.h>

#include "ask.h"
#include "packet_log.h"
#include "claim.h"
#include "follow.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "text.h"

#define EVENTS      40
#define IN_A_BUNCH  65 // percent of the events that follow the one before closely
#define CLOSE_MS    6  // by at most so much
#define APART_MS    200
#define APART_TO_MS 500
#define GRACE_MS    4000 // after the last event, for those who are late

static struct follower followers[WAYS];
static struct follower *const all[WAYS] = {&followers[0], &followers[1], &followers[2],
                                           &followers[3]};
static struct fetch publisher;
static int interval_ms = 80;

static double at_ms[EVENTS];          // when it is published
static bool leads[EVENTS];            // no other event shortly before it
static int64_t sent_ns[EVENTS];       // when it was
static double latency[WAYS][EVENTS];  // until it was here, in ms
static int times[WAYS][EVENTS];       // that it came
static int published, here;           // events; events times ways
static int64_t start_ns, last_due_ns; // of the feed

void techniques_with(int interval)
{
    interval_ms = interval;
}

// News comes in bunches. Always at the same times: this is an experiment.
static void make_times(void)
{
    uint64_t random = 5;
    double t = 50;
    for (int i = 0; i < EVENTS; i++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        double dice = (double)(random >> 40) / (double)(1 << 24), step;
        leads[i] = i == 0 || dice * 100 >= IN_A_BUNCH;
        random = random * 6364136223846793005 + 1442695040888963407;
        dice = (double)(random >> 40) / (double)(1 << 24);
        step = leads[i] ? APART_MS + dice * (APART_TO_MS - APART_MS) : 1 + dice * CLOSE_MS;
        at_ms[i] = t += i ? step : 0;
    }
}

static void told(struct follower *f, const struct news *news)
{
    int number = http_is(news->name, "bench") ? news_number(news) : -1; // the feed has others
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
           now >= start_ns + (int64_t)(at_ms[published] * 1e6)) { // nobody waits for answers
        char data[12];
        int length = snprintf(data, sizeof data, "%d", published);
        sent_ns[published] = now_ns();
        fetch_or_die(&publisher, fetch_send(&publisher,
                                            "POST /publish?event=bench HTTP/1.1\r\n" FETCH_HOST
                                            "Content-Length: %d\r\n\r\n%s",
                                            length, data));
        published++;
    }
    *wake_ns = published < EVENTS ? start_ns + (int64_t)(at_ms[published] * 1e6) : last_due_ns;
    return here < EVENTS * WAYS && now < last_due_ns;
}

// ---- what came of it -----------------------------------------------------------------------

static struct cost {
    double up, down, mean, worst; // bytes an event; ms
    int missed, twice;
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
        cost->mean /= came ? came : 1;
    }
}

static void print_line(const char *const *cells)
{
    static const int width[] = {15, 10, 8, 12, 12, 14, 14, 9};
    fputs("  ", stdout);
    for (int i = 0; i < 8; i++)
        cell(cells[i], width[i], i > 0);
    putchar('\n');
}

static void print_table(void)
{
    printf("\n%s", paint(BOLD));
    print_line((const char *const[]){"", "requests", "empty", "bytes up", "bytes down",
                                     "mean latency", "worst", "missed"});
    fputs(paint(PLAIN), stdout);
    for (int way = 0; way < WAYS; way++) {
        const struct cost *cost = &costs[way];
        char text[7][20];
        snprintf(text[0], sizeof text[0], "%llu", (unsigned long long)followers[way].requests);
        snprintf(text[1], sizeof text[1], "%llu", (unsigned long long)followers[way].empty);
        snprintf(text[2], sizeof text[2], "%.0f", cost->up);
        snprintf(text[3], sizeof text[3], "%.0f", cost->down);
        snprintf(text[4], sizeof text[4], "%.1f ms", cost->mean);
        snprintf(text[5], sizeof text[5], "%.1f ms", cost->worst);
        snprintf(text[6], sizeof text[6], "%d", cost->missed);
        print_line((const char *const[]){way_name[way], text[0], text[1], text[2], text[3],
                                         text[4], text[5], text[6]});
    }
    story_say("");
    story_say("mean latency");
    for (int way = 0; way < WAYS; way++)
        story_bar(way_name[way], costs[way].mean, costs[SHORT_POLLING].mean, "%.1f ms",
                  costs[way].mean);
    double most = costs[SHORT_POLLING].up + costs[SHORT_POLLING].down;
    story_say("");
    story_say("bytes an event, both ways");
    for (int way = 0; way < WAYS; way++)
        story_bar(way_name[way], costs[way].up + costs[way].down, most, "%.0f bytes",
                  costs[way].up + costs[way].down);
}

// How much later than SSE a way brings an event, in the middle; of those that lead a bunch, or
// of those that follow in one.
static double later_than_sse(enum way way, bool leading)
{
    double later[EVENTS];
    int count = 0;
    for (int i = 0; i < EVENTS; i++)
        if (leads[i] == leading && times[way][i] && times[SERVER_SENT][i])
            later[count++] = latency[way][i] - latency[SERVER_SENT][i];
    double median = median_of(later, count);
    return median > 0 ? median : 0;
}

// ---- claims --------------------------------------------------------------------------------

static const struct claim short_polling = {
    "5.1", "guide §4.3", "short polling: most polls empty; latency up to the interval", HOLDS,
    NULL};

static const struct claim long_polling = {
    "5.2", "guide §4.3", "long polling: fewer requests, lower latency", HOLDS, NULL};

static const struct claim one_request = {
    "5.3", "guide §4.2", "SSE is one ordinary request, held open: the cheapest by HTTP", HOLDS,
    NULL};

static const struct claim not_real_time = {
    "5.8", "design patterns", "long polling is not real time", NOT_HERE,
    "The answer to a held request is as quick as an event of a stream. Only what happens while "
    "an answer is on its way and the next request on its way back has to wait for that: at "
    "most one round trip (RFC 6202 §2.2)."};

// Why latency cannot be judged on this link; NULL if it can.
static const char *no_latency(void)
{
    return packet_log()->loss > 0 ? "on this link lost packets decide the latency"
           : packet_log()->rate > 0 && packet_log()->rate < 1000
               ? "on this link the rate decides the latency"
           : packet_log()->rtt_ms > APART_MS / 2
               ? "on this link a round trip is as long as a pause of the news"
               : NULL;
}

// Why short polling cannot be what it is; NULL if it can.
static const char *no_polling(void)
{
    return no_latency() ? no_latency()
           : packet_log()->rtt_ms > interval_ms
               ? "on this link an answer takes longer than the interval"
           : interval_ms > APART_MS / 2 ? "who asks so rarely finds news most of the time"
                                        : NULL;
}

static void judge_polling(double interval)
{
    const struct follower *polls = &followers[SHORT_POLLING], *waits = &followers[LONG_POLLING];
    double later = costs[SHORT_POLLING].mean - costs[SERVER_SENT].mean;
    bool most_empty = polls->empty * 2 > polls->requests;
    bool none_missed = costs[SHORT_POLLING].missed + costs[LONG_POLLING].missed == 0;
    if (no_polling()) {
        claim_report(&short_polling, SKIPPED, "%s", no_polling());
        claim_report(&long_polling, SKIPPED, "%s", no_polling());
        return;
    }
    claim_report(
        &short_polling,
        none_missed && most_empty && later > interval / 5 && later < interval ? HOLDS : UNCLEAR,
        "%llu of %llu answers empty; one every %.0f ms, and on average an event comes "
        "%.0f ms later than by SSE",
        (unsigned long long)polls->empty, (unsigned long long)polls->requests, interval, later);
    bool fewer = waits->requests * 10 < polls->requests * 8 && !waits->empty;
    if (!packet_log()->tunnel)
        claim_skip(&long_polling);
    else if (packet_log()->rtt_ms < 2 * CLOSE_MS)
        claim_report(&long_polling, SKIPPED,
                     "on this link a request is back before the next event of a bunch");
    else if (2 * packet_log()->rtt_ms > interval_ms) // the later ones of a bunch wait for it
        claim_report(&long_polling, SKIPPED,
                     "here the next request takes as long to come as a poll: %.1f ms, %.1f",
                     costs[LONG_POLLING].mean, costs[SHORT_POLLING].mean);
    else
        claim_report(
            &long_polling,
            none_missed && fewer && costs[LONG_POLLING].mean < costs[SHORT_POLLING].mean
                ? HOLDS
                : UNCLEAR,
            "%llu requests instead of %llu, %llu answered in vain; %.1f ms instead of %.1f",
            (unsigned long long)waits->requests, (unsigned long long)polls->requests,
            (unsigned long long)waits->empty, costs[LONG_POLLING].mean,
            costs[SHORT_POLLING].mean);
}

static void judge_rest(double interval)
{
    const struct cost *sse = &costs[SERVER_SENT], *wait = &costs[LONG_POLLING];
    double bytes = sse->up + sse->down, polled = wait->up + wait->down;
    double leading = later_than_sse(LONG_POLLING, true);
    double following = later_than_sse(LONG_POLLING, false);
    claim_report(&one_request,
                 followers[SERVER_SENT].requests == 1 && !sse->missed && !sse->twice &&
                         bytes * 2 < polled
                     ? HOLDS
                     : UNCLEAR,
                 "%llu request for %d events, %.0f bytes each; long polling %.0f, with heads "
                 "as short as they can be: a browser's are 400 and more",
                 (unsigned long long)followers[SERVER_SENT].requests, EVENTS, bytes, polled);
    if (no_latency())
        claim_report(&not_real_time, SKIPPED, "%s", no_latency());
    else
        claim_report(&not_real_time,
                     leading < interval / 4   ? NOT_HERE
                     : leading > interval / 2 ? HOLDS
                                              : UNCLEAR,
                     "an event after a pause comes %.1f ms later than by SSE, one in a bunch "
                     "%.1f ms (medians)",
                     leading, following);
}

void scene_techniques(void)
{
    make_times();
    ask_open(&publisher);
    uint64_t newest = server_figure("", "newest");
    story_say("%d events, in bunches, at random times. Four readers; one of them asks every "
              "%d ms.",
              EVENTS, interval_ms);
    story_say("Latency is from the POST that publishes an event to the reader, so a round trip "
              "at least.");
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
    judge_polling(took_ms / asked); // what it came to: an answer must be here before it asks
    judge_rest(took_ms / asked);
}
