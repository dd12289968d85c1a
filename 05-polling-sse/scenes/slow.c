// slow.c: scene slow: one of two readers stops reading. What does the other reader notice? What
// does the server do with the slow one?
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "ask.h"
#include "claim.h"
#include "follow.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define EVENT_BYTES 2000
#define BEFORE      100 // events while both readers read
#define BESIDE      800 // events while one does not read; the server's ring keeps more
#define EVENTS_MAX  (BEFORE + BESIDE)
#define SMALL_BUFFER                                                                           \
    4096 // receive buffer of the slow reader; a larger one would take all events
#define LARGE_BUFFER 262144

static struct follower quick, slow;
static struct follower *const only_quick[] = {&quick};
static struct follower *const only_slow[] = {&slow};
static struct fetch publisher;

static double latency[EVENTS_MAX];
static int64_t sent_ns, give_up_ns;
static int published, here; // events that were published, that the quick reader has
static int slow_last;       // the number of the last event that the slow reader has
static int slow_gaps;       // how often an event was missing before it
static int slow_came;       // how many events it has

static void publish(void)
{
    static char data[EVENT_BYTES + 1];
    memset(data, '.', EVENT_BYTES);
    int length = snprintf(data, sizeof data, "%d", published);
    data[length] = ' ';
    sent_ns = now_ns();
    if (ask_status(&publisher, "POST", "/publish?event=slow", data) != 200)
        die("the server refuses an event");
    published++;
}

static void told_quick(struct follower *f, const struct news *news)
{
    (void)f;
    if (http_is(news->name, "slow") && news_number(news) == here && here < EVENTS_MAX)
        latency[here++] = ms_between(sent_ns, now_ns());
}

static void told_slow(struct follower *f, const struct news *news)
{
    (void)f;
    if (!http_is(news->name, "slow"))
        return;
    int number = news_number(news);
    slow_gaps += number != slow_last + 1;
    slow_last = number;
    slow_came++;
}

static bool until_here(int64_t now, int64_t *wake_ns)
{
    *wake_ns = give_up_ns;
    return here < published && now < give_up_ns;
}

static bool until_connected(int64_t now, int64_t *wake_ns)
{
    *wake_ns = give_up_ns;
    return !quick.connected && now < give_up_ns;
}

static bool until_cut(int64_t now, int64_t *wake_ns)
{
    *wake_ns = give_up_ns;
    return slow.asked && slow_last < published - 1 && now < give_up_ns;
}

static bool until_caught_up(int64_t now, int64_t *wake_ns)
{
    *wake_ns = give_up_ns;
    return slow_last < published - 1 && now < give_up_ns;
}

static void be_patient(void)
{
    give_up_ns = now_ns() + FETCH_PATIENCE_MS * INT64_C(1000000);
}

// Publishes one event, and waits until the quick reader has it.
static void tell(void)
{
    publish();
    be_patient();
    follow(only_quick, 1, until_here);
    if (here < published)
        die("event %d has not come for %d seconds", published, FETCH_PATIENCE_MS / 1000);
}

static const struct claim too_much = {"5.16", "design patterns",
                                      "clients might not be able to handle what is pushed",
                                      HOLDS, NULL};

static void show(double alone_ms, double beside_ms, uint64_t queue)
{
    double full = alone_ms;
    if (full < beside_ms)
        full = beside_ms;
    story_say("");
    story_say("from publishing an event to the quick reader");
    story_bar("the quick reader alone", alone_ms, full, "%.2f ms", alone_ms);
    story_bar("beside the slow one", beside_ms, full, "%.2f ms", beside_ms);
    story_head("the slow reader|events");
    story_row("were published meanwhile|%d", BESIDE);
    story_row("are in the kernel's buffers|%d", BESIDE - (int)queue);
    story_row("wait in the server's ring|%llu", (unsigned long long)queue);
}

void scene_slow(void)
{
    int small = SMALL_BUFFER, large = LARGE_BUFFER;
    uint64_t dropped_before = server_figure("\"dropped\"", "slow");
    ask_open(&publisher);
    follower_begin(&quick, SERVER_SENT, server_figure("", "newest"), 0, told_quick);
    be_patient();
    follow(only_quick, 1, until_connected);
    for (int i = 0; i < BEFORE; i++)
        tell();
    double alone_ms = median_of(latency, BEFORE);

    story_say("Events of %d bytes for two readers. One of them does not read.", EVENT_BYTES);
    follower_begin(&slow, SERVER_SENT, server_figure("", "newest"), 0, told_slow);
    setsockopt(slow.fetch.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    slow_last = BEFORE - 1;
    for (int i = 0; i < BESIDE; i++)
        tell();
    double beside_ms = median_of(latency + BEFORE, BESIDE);
    uint64_t queue = server_figure("\"sse\"", "longest_queue");

    be_patient(); // the slow one reads again: first the bytes in the kernel's buffers
    setsockopt(slow.fetch.fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
    follow(only_slow, 1, until_cut);
    uint64_t dropped = server_figure("\"dropped\"", "slow") - dropped_before;
    show(alone_ms, beside_ms, queue);
    follow(only_slow, 1, until_caught_up);
    story_say("");
    story_say("Then it reads up to the end of the stream, asks again with Last-Event-ID, and "
              "gets the rest.");
    bool rest = slow_came == BESIDE && slow_gaps == 0 && slow.requests == 2;
    bool unharmed = beside_ms < 5 * alone_ms + 5;
    enum verdict verdict = UNCLEAR;
    if (dropped == 1 && queue && rest && unharmed)
        verdict = HOLDS;
    follower_end(&quick);
    follower_end(&slow);
    fetch_close(&publisher);
    claim_report(
        &too_much, verdict,
        "the server closed %llu slow reader. It came back, and has %d of %d events, %d "
        "gaps. To the quick one an event took %.2f ms, before that %.2f",
        (unsigned long long)dropped, slow_came, BESIDE, slow_gaps, beside_ms, alone_ms);
}
