// resume.c: scene resume: a stream of events is cut in the middle of an event, and the client
// comes back without losing one.
#include <stdio.h>

#include "ask.h"
#include "claim.h"
#include "follow.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define EVENTS     14
#define EVERY_MS   50
#define HALF       4  // the reader cuts the connection in the middle of this event
#define CUT_AT     9  // the server cuts the connection after this event
#define AT_ONCE    50 // requests that are sent before their answers are read
#define ROUNDS_MAX 400
#define AWAY       3 // events that are published while the reader is away
#define HALF_BYTES                                                                             \
    10 // the reader reads so few bytes at once, to stop in the middle of an event
#define PATIENCE_NS INT64_C(5000000000) // the scene waits for an event no longer than this

static struct follower reader;
static struct follower *const only[] = {&reader};
static struct fetch publisher;

static int64_t next_ns, give_up_ns;
static int published, away, came, cuts, out_of_order;
static int times[EVENTS + 1]; // how often each event has come
static uint64_t asked;        // how many requests of the reader were shown

// The ids of the event "reset", and of the event after it.
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
    int number = 0; // the feed may have events of its own
    (void)f;
    if (http_is(news->name, "lesson"))
        number = news_number(news);
    if (http_is(news->name, "reset"))
        story_event("reset: what came before %llu is gone", (unsigned long long)news->id + 1);
    if (number < 1 || number > EVENTS)
        return;
    came++;
    times[number]++;
    out_of_order += number <= last;
    last = number;
    story_event("event %d, id %llu", number, (unsigned long long)news->id);
}

static void show_requests(void)
{
    const char *how = ", back with Last-Event-ID:";
    if (asked == 0)
        how = " since";
    if (reader.requests > asked)
        story_event("GET /events%s %llu", how, (unsigned long long)reader.seen);
    asked = reader.requests;
}

// True if another event may be published: also while the reader is away, but then only AWAY of
// them. The last ones wait until the server has cut the connection, too.
static bool may_publish(void)
{
    int last = EVENTS;
    if (cuts < 2)
        last = CUT_AT;
    if (!reader.connected && (published == 0 || away == AWAY))
        return false;
    return published < last;
}

static void publish_if_due(int64_t now)
{
    if (reader.connected)
        away = 0;
    if (!may_publish() || now < next_ns)
        return;
    publish("lesson", ++published);
    away += !reader.connected;
    next_ns = now + EVERY_MS * INT64_C(1000000);
}

// Cuts the connection twice: first the reader does so, in the middle of an event, then the
// server.
static void cut_if_due(void)
{
    const struct event_stream *stream = &reader.stream;
    bool half = stream->line.length > 0 || (stream->data.length > 0 && !stream->delivered);
    reader.fetch.read_max = 0;
    if (cuts == 0)
        reader.fetch.read_max = HALF_BYTES;
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
    *wake_ns = give_up_ns;
    if (may_publish())
        *wake_ns = next_ns;
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

// Publishes events until the one that the reader needs next has left the ring. Returns how many
// events that took.
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

static const struct claim comes_back = {"5.4", "guide §4.2, §15.2",
                                        "EventSource reconnects by itself", HOLDS, NULL};

static const struct claim online = {
    "5.47", "design patterns", "push, server-sent events: the client must be online", NOT_HERE,
    "Not while it happens: Last-Event-ID brings what the client has missed, as far as the "
    "server "
    "keeps it (HTML, server-sent events, §9.2)."};

void scene_resume(void)
{
    int lost = 0, twice = 0;
    ask_open(&publisher);
    uint64_t newest = server_figure("", "newest");
    story_say(
        "%d events, one every %d ms. The connection is cut twice: first by the client, then "
        "by the server.",
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
    story_say("Now the client is away for %d events: more than the server's ring keeps.", more);
    story_head("the client comes back|id");
    story_row("it sends Last-Event-ID|%llu", (unsigned long long)seen);
    story_row("it gets the event reset|%llu", (unsigned long long)reset_id);
    story_row("then the oldest event|%llu", (unsigned long long)after_reset_id);
    follower_end(&reader);
    fetch_close(&publisher);
    enum verdict verdict = UNCLEAR;
    bool whole = !lost && !twice && !out_of_order;
    if (whole && cuts == 2 && requests == 3 && reset_id > seen &&
        after_reset_id == reset_id + 1)
        verdict = HOLDS;
    claim_report(
        &comes_back, verdict,
        "cut %d times in %d events: %d lost, %d twice, %d out of order. The client names "
        "its last event. Where the server has no longer the next one, it sends reset",
        cuts, EVENTS, lost, twice, out_of_order);
    enum verdict offline = UNCLEAR;
    if (whole && cuts == 2 && requests == 3)
        offline = NOT_HERE;
    else if (lost > 0)
        offline = HOLDS;
    claim_report(
        &online, offline,
        "twice offline, and of the %d events it has missed %d; of a pause of %d events the "
        "server has only the last ones",
        EVENTS, lost, more);
}
