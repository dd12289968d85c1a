// stream.c: scene stream: the server sends the first part of a response before the last part
// exists.
#include <stdio.h>

#include "ask.h"
#include "claim.h"
#include "measure.h"
#include "scenes.h"
#include "story.h"

#define PIECES   5
#define PIECE_MS 200

static const struct claim whole_first = {
    "2.4", "guide §3.1", "HTTP/1.1 requires the entire response before sending: no streaming",
    NOT_HERE,
    "With Transfer-Encoding: chunked each piece has its size in front, and a piece of size 0 "
    "ends the response (RFC 9112 §7.1): the server need not know the length before."};

static struct {
    int count;
    int64_t first_ns, last_ns; // when they came
} pieces;

static void note_piece(struct fetch *f, struct http_text content)
{
    (void)f;
    pieces.last_ns = now_ns();
    if (pieces.count == 0)
        pieces.first_ns = pieces.last_ns;
    pieces.count++;
    story_event("%.*s", (int)content.length - 1, content.at);
}

static void judge(const struct fetch *f, int64_t start_ns)
{
    double first_ms = ms_between(start_ns, pieces.first_ns);
    double last_ms = ms_between(start_ns, pieces.last_ns);
    bool chunked = f->head.chunked && !http_field(&f->head, "content-length").at;
    enum verdict verdict = HOLDS;
    if (chunked && pieces.count == PIECES && last_ms > 2 * first_ms)
        verdict = NOT_HERE;
    if (first_ms > PIECES * PIECE_MS / 4)
        claim_report(&whole_first, SKIPPED, "on this link the first byte takes %.0f ms",
                     first_ms);
    else
        claim_report(&whole_first, verdict,
                     "the first of %d pieces after %.0f ms, the last after %.0f", pieces.count,
                     first_ms, last_ms);
}

void scene_stream(void)
{
    struct fetch f;
    char target[40];
    snprintf(target, sizeof target, "/stream?n=%d&ms=%d", PIECES, PIECE_MS);
    ask_open(&f);
    f.piece = note_piece;
    story_say("The server makes %d pieces, %d ms apart, and sends each of them at once.",
              PIECES, PIECE_MS);
    story_timeline();
    int64_t start_ns = now_ns();
    story_event("GET %s", target);
    ask_get(&f, target);
    story_event("the chunk of size 0: the end");
    story_quiet(true);
    fetch_close(&f);
    judge(&f, start_ns);
}
