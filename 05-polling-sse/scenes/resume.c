// resume.c: a stream of events is cut in the middle, and comes back with nothing lost.
#include <stdio.h>

#include "ask.h"
#include "claim.h"
#include "follow.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define EVENTS      14
#define EVERY_MS    50
#define HALF        4  // the event in the middle of which we cut the connection
#define CUT_AT      9  // the event after which the server does
#define AT_ONCE     50 // publications that are on their way together
#define ROUNDS_MAX  400
#define AWAY        3  // events that are published while the reader is away
#define HALF_BYTES  10 // that we read at once, to stop in the middle of an event
#define PATIENCE_NS INT64_C(5000000000) // for an event that does not come

static struct follower reader;
static struct follower *const only[] = {&reader};
static struct fetch publisher;

static int64_t next_ns, give_up_ns;
static int published, away, came, cuts, out_of_order;
static int times[EVENTS + 1]; // that each event came
static uint64_t asked;        // requests of the reader that were shown

// After the ring has moved on:
static uint64_t reset_id, after_reset_id;

static void publish(const char *name, int number)
{
    char data[12];
    int length = snprintf(data, sizeof data, "%d", number);
    fetch_or_die(&publisher, fetch_send(&publisher,
                                        "POST /publish?event=%s HTTP/1.1\r\n" FETCH_HOST
                                        "Content-Length: %d\r\n\r\n%s",
                                        name, length, data));
}

static void told(struct follower *f, const struct news *news)
{
    static int last;
    int number = http_is(news->name, "lesson") ? news_number(news) : 0;
    (void)f;
    if (http_is(news->name, "reset"))
        story_event("reset: what came before %llu is gone", (unsigned long long)news->id + 1);
    if (number < 1 || number > EVENTS)
        return; // the feed has news of its own
    came++;
    times[number]++;
    out_of_order += number <= last;
    last = number;
    story_event("event %d, id %llu", number, (unsigned long long)news->id);
}

static void show_requests(void)
{
    if (reader.requests > asked)
        story_event("GET /events%s%llu", asked ? ", back with Last-Event-ID: " : " since ",
                    (unsigned long long)reader.seen);
    asked = reader.requests;
}

// Publishes, a few events also while nobody listens.
static void publish_if_due(int64_t now)
{
    int last = cuts < 2 ? CUT_AT : EVENTS; // the rest comes when the server has cut, too
    if (reader.connected)
        away = 0;
    else if (!published || away == AWAY)
        return;
    if (published == last || now < next_ns)
        return;
    publish("lesson", ++published);
    away += !reader.connected;
    next_ns = now + EVERY_MS * INT64_C(1000000);
}

// Cuts the connection: once here, in the middle of an event, and once there.
static void cut_if_due(void)
{
    const struct event_stream *stream = &reader.stream; // its data stays when it is delivered
    bool half = stream->line.length > 0 || (stream->data.length > 0 && !stream->delivered);
    reader.fetch.read_max = cuts == 0 ? HALF_BYTES : 0;
    if (cuts == 0 && came == HALF - 1 && half && published >= HALF) {
        story_event("✂ half of event %d is here", HALF);
        follower_cut(&reader);
        cuts++;
    } else if (cuts == 1 && times[CUT_AT] && reader.connected) {
        story_event("POST /cut");
        fetch_or_die(&publisher, fetch_send(&publisher, "POST /cut HTTP/1.1\r\n" FETCH_HOST
                                                        "Content-Length: 0\r\n\r\n"));
        cuts++;
    }
}

static bool play(int64_t now, int64_t *wake_ns)
{
    show_requests();
    publish_if_due(now);
    cut_if_due();
    bool may_publish = published < (cuts < 2 ? CUT_AT : EVENTS) && away < AWAY &&
                       (published || reader.connected);
    *wake_ns = may_publish ? next_ns : give_up_ns;
    return !times[EVENTS] && now < give_up_ns;
}

static void told_after(struct follower *f, const struct news *news)
{
    (void)f;
    if (http_is(news->name, "reset"))
        reset_id = news->id;
    else if (reset_id && !after_reset_id)
        after_reset_id = news->id;
}

static bool until_told(int64_t now, int64_t *wake_ns)
{
    *wake_ns = give_up_ns;
    return !after_reset_id && now < give_up_ns;
}

// The reader is away until the server has forgotten what came next. Returns how many events
// that took.
static int publish_too_much(uint64_t seen)
{
    int count = 0;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        for (int i = 0; i < AT_ONCE; i++)
            publish("more", ++count);
        for (int i = 0; i < AT_ONCE; i++)
            fetch_or_die(&publisher, fetch_answer(&publisher));
        if (server_figure("", "oldest") > seen + 1)
            break;
    }
    return count;
}

static const struct claim comes_back = {"5.4", "guide §4.2", "EventSource reconnects by itself",
                                        HOLDS, NULL};

void scene_resume(void)
{
    int lost = 0, twice = 0;
    ask_open(&publisher);
    uint64_t newest = server_figure("", "newest");
    story_say("%d events, one every %d ms. The connection is cut twice: by us, by the server.",
              EVENTS, EVERY_MS);
    story_timeline();
    follower_begin(&reader, SERVER_SENT, newest, 0, told);
    give_up_ns = now_ns() + PATIENCE_NS;
    follow(only, 1, play);
    for (int i = 0; i < published + (cuts == 2); i++) // one of them was POST /cut
        fetch_or_die(&publisher, fetch_answer(&publisher));
    story_quiet(true);
    for (int i = 1; i <= EVENTS; i++) {
        lost += times[i] == 0;
        twice += times[i] > 1;
    }
    unsigned requests = (unsigned)reader.requests;

    follower_cut(&reader);
    uint64_t seen = reader.seen;
    reader.told = told_after;
    int more = publish_too_much(seen);
    give_up_ns = now_ns() + PATIENCE_NS;
    follow(only, 1, until_told);
    story_say("Now it is away for %d events, which is more than the server's ring keeps.",
              more);
    story_head("it comes back|id");
    story_row("with Last-Event-ID|%llu", (unsigned long long)seen);
    story_row("is told: reset|%llu", (unsigned long long)reset_id);
    story_row("and then the oldest|%llu", (unsigned long long)after_reset_id);
    follower_end(&reader);
    fetch_close(&publisher);
    bool whole = !lost && !twice && !out_of_order;
    claim_report(&comes_back,
                 whole && cuts == 2 && requests == 3 && reset_id > seen &&
                         after_reset_id == reset_id + 1
                     ? HOLDS
                     : UNCLEAR,
                 "cut %d times in %d events: %d lost, %d twice, %d out of order. It says which "
                 "was the last; where the server no longer has the next, it says so: reset",
                 cuts, EVENTS, lost, twice, out_of_order);
}
