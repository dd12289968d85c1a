// hundred.c: scene hundred: the images of a page on a slow link, over six connections of
// HTTP/1.1 and over one of HTTP/2.
#include <stdio.h>

#include "packet_log.h"
#include "browser.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "six.h"
#include "story.h"
#include "talk.h"

#define IMAGES      100
#define PACKETS_MAX PACKET_LOG_PACKETS
#define SLOW_MS     100
#define BUSY        0.8 // part of the time: then the link decides

static int image_bytes;

static struct talk talk; // too large for the stack
static struct packet packets[PACKETS_MAX];

struct figures {
    int connections, waited, answered;
    int lost;             // packets, also those that the link's queue had no room for
    long sent, come;      // bytes of all others
    double took_ms, busy; // busy: part of the time in which the link had something to bring
};

void hundred_of(int bytes)
{
    image_bytes = bytes;
}

// What has passed the wire since `mark`, in both directions.
static void count_bytes(uint32_t mark, struct figures *f)
{
    uint32_t count = packet_log()->tunnel ? packet_log_read(mark, packets, PACKETS_MAX) : 0;
    f->sent = f->come = f->lost = 0;
    for (uint32_t i = 0; i < count; i++) {
        f->lost += packets[i].fate != PASSED;
        if (packets[i].fate != QUEUE_FULL)
            *(packets[i].to_server ? &f->sent : &f->come) += packets[i].length;
    }
    double needed_ms = packet_log()->rate > 0 ? (double)f->come * 8 / packet_log()->rate : 0;
    f->busy = needed_ms / f->took_ms;
}

static struct figures load_http1(void)
{
    struct six six = {.connections = SIX_MAX, .images = IMAGES, .size = image_bytes};
    uint32_t mark = packet_log_mark();
    six_load(&six);
    struct figures f = {.connections = six.connections,
                        .waited = six.waited,
                        .answered = six.answered,
                        .took_ms = six.took_ms};
    count_bytes(mark, &f);
    return f;
}

// Asks for the images that are not asked for yet, or were refused, as far as the server lets
// us.
static void ask(uint32_t streams[IMAGES], int *waited, bool first)
{
    for (int i = 0; i < IMAGES && talk.open < talk.streams_max; i++) {
        const struct reply *reply = talk_reply(&talk, streams[i]);
        struct hpack_field fields[BROWSER_FIELDS];
        char path[40];
        if (streams[i] && !(reply->reset && reply->error == REFUSED_STREAM))
            continue;
        snprintf(path, sizeof path, "/img/%d?size=%d", i + 1, image_bytes);
        browser_fields(fields, path);
        streams[i] = talk_request(&talk, fields, BROWSER_FIELDS);
        *waited += !first;
    }
}

static struct figures load_http2(void)
{
    uint32_t streams[IMAGES] = {0}, mark = packet_log_mark();
    struct figures f = {.connections = 1};
    talk_open(&talk, TALK_WINDOW, NULL);
    int64_t start_ns = now_ns();
    ask(streams, &f.waited, true);
    while (talk.open && talk_step(&talk))
        ask(streams, &f.waited, false);
    f.took_ms = (double)(now_ns() - start_ns) / 1e6;
    for (int i = 0; i < IMAGES; i++) {
        const struct reply *reply = talk_reply(&talk, streams[i]);
        f.answered += reply->status == 200 && reply->content_bytes == (uint64_t)image_bytes;
    }
    talk_close(&talk);
    count_bytes(mark, &f);
    return f;
}

static void show(const char *name, const struct figures *f)
{
    if (packet_log()->tunnel)
        story_row("%s|%d|%d|%ld|%ld|%.0f ms", name, f->connections, f->waited, f->sent, f->come,
                  f->took_ms);
    else
        story_row("%s|%d|%d|?|?|%.1f ms", name, f->connections, f->waited, f->took_ms);
}

static const struct claim faster = {
    "3.5", "guide §3.2", "100 images on a slow link: one connection beats six of HTTP/1.1",
    HOLDS, NULL};

static void judge(const struct figures *one, const struct figures *two)
{
    bool all = one->answered == IMAGES && two->answered == IMAGES;
    if (!packet_log()->tunnel)
        claim_skip(&faster);
    else if (packet_log()->rtt_ms < 20)
        claim_report(&faster, SKIPPED, "on this link waiting costs little: RTT %g ms",
                     packet_log()->rtt_ms);
    else if (one->busy > BUSY)
        claim_report(&faster, SKIPPED,
                     "the link was busy %.0f %% of the time with HTTP/1.1: nothing to gain "
                     "(%.0f ms, %.0f ms)",
                     100 * one->busy, one->took_ms, two->took_ms);
    else if (one->lost + two->lost > 0)
        claim_report(&faster, SKIPPED, "%d packets were lost, and decide (%.0f ms, %.0f ms)",
                     one->lost + two->lost, one->took_ms, two->took_ms);
    else
        claim_report(&faster,
                     all && one->waited >= IMAGES - SIX_MAX && one->took_ms > 1.2 * two->took_ms
                         ? HOLDS
                         : UNCLEAR,
                     "%.0f ms against %.0f: %d of %d requests waited for an answer before "
                     "theirs, and %ld bytes went up, not %ld",
                     one->took_ms, two->took_ms, one->waited, IMAGES, one->sent, two->sent);
}

static const struct claim no_limit = {
    "3.11", "guide §3.2", "a connection of HTTP/2 has no artificial limit", NOT_HERE,
    "SETTINGS_MAX_CONCURRENT_STREAMS is one. RFC 9113 §6.5.2 asks for at least 100; nginx has "
    "128, Go 250."};

// One more request at once than the server allows.
static void ask_too_much(void)
{
    uint32_t refused = 0, answered = 0, allowed;
    talk_open(&talk, TALK_WINDOW, NULL);
    talk_ping(&talk);
    allowed = talk.streams_max < TALK_REPLIES ? talk.streams_max : TALK_REPLIES - 2;
    char path[40];
    snprintf(path, sizeof path, "/slow?ms=%d", SLOW_MS);
    for (uint32_t i = 0; i <= allowed; i++)
        talk_get(&talk, path);
    talk_await_all(&talk);
    for (uint32_t stream = 1; stream <= talk.last_stream; stream += 2) {
        const struct reply *reply = talk_reply(&talk, stream);
        answered += reply->status == 200;
        refused += reply->reset && reply->error == REFUSED_STREAM;
    }
    talk_close(&talk);
    if (talk.streams_max > allowed) {
        claim_report(&no_limit, SKIPPED, "this server allows %u requests at once",
                     talk.streams_max);
        return;
    }
    claim_report(&no_limit,
                 refused == 1 && answered == allowed ? NOT_HERE
                 : answered == allowed + 1           ? HOLDS
                                                     : UNCLEAR,
                 "%u requests at once: %u answered, %u refused (RST_STREAM REFUSED_STREAM)",
                 allowed + 1, answered, refused);
}

void scene_hundred(void)
{
    story_say("%d images of %d bytes, each asked for with the fields of a browser.", IMAGES,
              image_bytes);
    struct figures one = load_http1(), two = load_http2();
    story_head("(time: after the handshakes)|connections|had to wait|bytes up|bytes down|time");
    show("HTTP/1.1", &one);
    show("HTTP/2", &two);
    story_say("");
    double full = one.took_ms > two.took_ms ? one.took_ms : two.took_ms;
    story_bar("HTTP/1.1", one.took_ms, full, "%.0f ms", one.took_ms);
    if (one.busy > 0)
        story_bar("  of it the link was busy", one.took_ms * one.busy, full, "%.0f %%",
                  100 * one.busy);
    story_bar("HTTP/2", two.took_ms, full, "%.0f ms", two.took_ms);
    if (two.busy > 0)
        story_bar("  of it the link was busy", two.took_ms * two.busy, full, "%.0f %%",
                  100 * two.busy);
    judge(&one, &two);
    ask_too_much();
}
