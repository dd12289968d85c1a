// unnumbered.c: scene unnumbered: two clients poll long. One says in each request which event
// it has seen last (?since=ID); the other one only waits for what comes next, as the simplified
// server of the notes has it. What do they lose?
#include <poll.h>
#include <stdio.h>

#include "ask.h"
#include "claim.h"
#include "json.h"
#include "net.h"
#include "news.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define EVENTS   100
#define EVERY_MS 5
#define END_MS   50 // between two events that only say that it is over
#define MAX_NS   INT64_C(20000000000)

enum { NUMBERED, UNNUMBERED, READERS };

static struct reader {
    struct fetch fetch;
    const char *name;
    uint64_t seen;         // the id of its last event
    int requests, came;    // of it; events that it has
    int times[EVENTS + 1]; // how often each event has come
    bool over;             // it has an event that says so
} readers[READERS] = {{.name = "names its last event"}, {.name = "waits for what comes next"}};

static struct fetch publisher;
static int published; // with those that say that it is over

static void publish(const char *name)
{
    char data[12];
    int length = snprintf(data, sizeof data, "%d", ++published);
    fetch_or_die(&publisher, fetch_send(&publisher,
                                        "POST /publish?event=%s HTTP/1.1\r\n" FETCH_HOST
                                        "Content-Length: %d\r\n\r\n%s",
                                        name, length, data));
}

static void ask(struct reader *reader)
{
    char since[40] = "";
    if (reader == &readers[NUMBERED])
        snprintf(since, sizeof since, "?since=%llu", (unsigned long long)reader->seen);
    reader->requests++;
    fetch_or_die(
        &reader->fetch,
        fetch_send(&reader->fetch, "GET /wait%s HTTP/1.1\r\n" FETCH_HOST "\r\n", since));
}

// An answer has come: its events are counted, and the next request is sent at once.
static void take_answer(struct reader *reader)
{
    static struct buffer text;
    struct http_text lines = reader->fetch.content, line;
    struct news news;
    while (news_next_line(&lines, &line)) {
        if (!news_read(line, &text, &news))
            die("this is no event");
        uint64_t number;
        reader->seen = news.id;
        if (http_is(news.name, "over"))
            reader->over = true;
        else if (http_number(news.data, EVENTS, &number) && !reader->times[number]++)
            reader->came++;
    }
    ask(reader);
}

// Publishes what is due. Returns the time of the next event.
static int64_t publish_due(int64_t now, int64_t next_ns)
{
    const char *name = "number";
    int64_t pause_ms = EVERY_MS;
    if (now < next_ns)
        return next_ns;
    if (published >= EVENTS) { // until both have heard it
        name = "over";
        pause_ms = END_MS;
    }
    publish(name);
    return now + pause_ms * 1000000;
}

static void play(void)
{
    int64_t next_ns = now_ns(), end_ns = next_ns + MAX_NS;
    while (!readers[NUMBERED].over || !readers[UNNUMBERED].over) {
        struct pollfd polls[READERS];
        int64_t now = now_ns();
        if (now > end_ns)
            die("it is not over after %d seconds", (int)(MAX_NS / 1000000000));
        next_ns = publish_due(now, next_ns);
        for (int i = 0; i < READERS; i++)
            polls[i] = (struct pollfd){readers[i].fetch.fd, POLLIN, 0};
        struct timespec wait = {0, next_ns - now};
        if (next_ns < now)
            wait.tv_nsec = 0;
        if (ppoll(polls, READERS, &wait, NULL) < 0)
            die("cannot wait for answers");
        for (int i = 0; i < READERS; i++) {
            struct fetch *f = &readers[i].fetch;
            if (polls[i].revents && fetch_or_die(f, fetch_read(f)) &&
                fetch_or_die(f, fetch_take(f)))
                take_answer(&readers[i]);
        }
    }
    for (int i = 0; i < published; i++)
        fetch_or_die(&publisher, fetch_answer(&publisher));
}

static const struct claim simplified = {
    "5.50", "guide §5", "a long-polling server that only keeps a list of waiting clients works",
    NOT_HERE,
    "An event that comes while an answer or the next request is on its way finds no client "
    "that "
    "waits. Events need numbers, and a request names the last one (RFC 6202 §2.2: until the "
    "next "
    "request the server has to queue them)."};

void scene_unnumbered(void)
{
    uint64_t newest = server_figure("", "newest");
    ask_open(&publisher);
    story_say(
        "%d events, one every %d ms. Two clients poll long. The server answers those that "
        "wait; one client also says which event it has seen last.",
        EVENTS, EVERY_MS);
    for (int i = 0; i < READERS; i++) {
        ask_open(&readers[i].fetch);
        readers[i].seen = newest;
        ask(&readers[i]);
    }
    while (server_figure("\"wait\"", "clients") < READERS)
        sleep_ms(1);
    play();
    story_head("the client|requests|events|lost");
    for (int i = 0; i < READERS; i++) {
        const struct reader *reader = &readers[i];
        story_row("%s|%d|%d|%d", reader->name, reader->requests, reader->came,
                  EVENTS - reader->came);
        fetch_close(&readers[i].fetch);
    }
    fetch_close(&publisher);
    if (!packet_log()->tunnel) {
        claim_skip(&simplified);
        return;
    }
    if (packet_log()->rtt_ms < 2 * EVERY_MS) {
        claim_report(&simplified, SKIPPED,
                     "on this link the next request is there before the next event");
        return;
    }
    int lost = EVENTS - readers[UNNUMBERED].came;
    enum verdict verdict = UNCLEAR;
    if (lost == 0)
        verdict = HOLDS;
    else if (readers[NUMBERED].came == EVENTS)
        verdict = NOT_HERE;
    claim_report(
        &simplified, verdict,
        "over a round trip of %g ms, without numbers %d of %d events arrived; with them "
        "%d",
        packet_log()->rtt_ms, EVENTS - lost, EVENTS, readers[NUMBERED].came);
}
