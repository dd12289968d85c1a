// events.c: scene events: eight streams of server-sent events, without an end, over one
// connection; and what they do when a packet is lost.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "h2_client.h"
#include "http1_loader.h"
#include "measure.h"
#include "net.h"
#include "packet_gap.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define STREAMS     GAP_OWNERS
#define EVERY_MS    4  // of the first stream; 5 of the second, and so on
#define EVENTS      40 // of each stream, on average, that the client waits for
#define EVENT_BYTES 23
#define TRIES       20 // so many connections, until a packet is lost that others wait for

static struct h2_client client; // too large for the stack

static int events[STREAMS], all_events;

static void see_frame(struct h2_client *t, bool to_server, const struct frame *frame)
{
    int owner = (int)frame->stream / 2;
    if (to_server || frame->type != FRAME_DATA || owner >= STREAMS ||
        memcmp(frame->payload, "data: ", 6))
        return;
    gap_piece(http1_port(t->fd), t->position, t->position + FRAME_HEADER_BYTES + frame->length,
              owner);
    events[owner] += (int)frame->length / EVENT_BYTES;
    all_events += (int)frame->length / EVENT_BYTES;
}

// Asks for the events, then for a page, and reads. Returns the page's status.
static int listen_to_all(void)
{
    static const struct h2_listener listener = {.frame = see_frame};
    char path[40];
    memset(events, 0, sizeof events);
    all_events = 0;
    gap_begin();
    h2_open(&client, H2_WINDOW, &listener);
    for (int i = 0; i < STREAMS; i++) {
        snprintf(path, sizeof path, "/events?ms=%d", EVERY_MS + i);
        h2_get(&client, path);
    }
    uint32_t page = h2_get(&client, "/");
    while (all_events < STREAMS * EVENTS && h2_step(&client))
        gap_read(http1_port(client.fd), client.position + client.in_length - client.in_at,
                 client.read_ns);
    h2_close(&client);
    return h2_answer(&client, page)->status;
}

static const struct claim share = {
    "3.51", "guide §4.2, §15.4", "HTTP/2 allows many SSE streams over a single TCP connection",
    HOLDS, NULL};

static const struct claim blocking = {
    "3.52", "guide §15.4", "all on the same connection, without blocking each other", NOT_HERE,
    "HTTP lets them flow independently, but TCP keeps back all that comes behind a lost packet "
    "(RFC 9113 §1: not addressed). QUIC's streams are independent (RFC 9000 §2.2)."};

void scene_events(void)
{
    struct hole hole = {0};
    bool found = false, wire = packet_log()->tunnel;
    int tries = 0, status, fewest;
    story_say("%d streams of events on one connection, an event every %d to %d ms, and no end. "
              "A packet is lost (✗): █ this program reads events; ░ they have arrived, but the "
              "kernel keeps them back:",
              STREAMS, EVERY_MS, EVERY_MS + STREAMS - 1);
    do {
        status = listen_to_all();
        fewest = events[0];
        for (int i = 1; i < STREAMS; i++)
            if (events[i] < fewest)
                fewest = events[i];
        found = wire && gap_find(false, &hole);
    } while (wire && packet_log()->loss > 0 && !found && ++tries < TRIES);
    if (found) {
        story_say("");
        gap_draw(&hole, "stream", 1, 2);
    }
    claim_report(&share, holds_if(fewest >= EVENTS / 4 && status == 200),
                 "%d events on %d streams, at least %d on each; a page between them: %d",
                 all_events, STREAMS, fewest, status);
    if (!wire) {
        claim_skip(&blocking);
    } else if (!found) {
        claim_report(&blocking, SKIPPED,
                     "on this link no packet was lost that others waited for");
    } else {
        int waiters = 0;
        for (int i = 0; i < STREAMS; i++)
            waiters += hole.waiters[i];
        claim_report(
            &blocking, hole.early ? HOLDS : NOT_HERE,
            "the events of %d other streams, %d DATA frames, waited up to %.0f ms for a "
            "packet that was lost",
            waiters, hole.waited, hole.longest_ms);
    }
}
