// header_compression.c: a header field that was sent before costs one byte.
#include <stdio.h>
#include <string.h>

#include "browser_request.h"
#include "claim.h"
#include "parse_cost.h"
#include "scenes.h"
#include "frame_dump.h"
#include "story.h"
#include "h2_client.h"

#define REQUESTS    10
#define BLOCK_BYTES 2048

static struct h2_client client; // too large for the stack

static struct {
    uint32_t blocks[REQUESTS]; // bytes of the header block of each request
    int count;
    uint8_t first; // byte of the first block
    uint8_t second[BLOCK_BYTES];
} sent;

static void see_frame(struct h2_client *t, bool to_server, const struct frame *frame)
{
    (void)t;
    if (!to_server || frame->type != FRAME_HEADERS || sent.count == REQUESTS)
        return;
    if (sent.count == 0 && frame->length > 0)
        sent.first = frame->payload[0];
    if (sent.count == 1 && frame->length <= BLOCK_BYTES)
        memcpy(sent.second, frame->payload, frame->length);
    sent.blocks[sent.count++] = frame->length;
}

static const struct claim smaller = {
    "3.7", "guide §3.2, ch. 18.2", "HPACK: repeated headers are an index; request 2 is smaller",
    HOLDS, NULL};

static const struct claim costly = {
    "3.53", "guide §11", "HTTP/2 parsing is more CPU-intensive than HTTP/1.1", HOLDS, NULL};

#define METHOD_GET 0x82 // an index: of entry 2 (RFC 7541 §6.1)

static const struct claim sent_once = {
    "3.44", "ch. 18.2",
    "\":method: GET\" is sent in the first request, and then only its index", NOT_HERE,
    "It is in the static table that both sides have from the beginning (RFC 7541, appendix A). "
    "What is sent once is what is not in there: the cookie, the user agent."};

void scene_header_compression(void)
{
    static const struct h2_listener listener = {.frame = see_frame};
    static const int shown[] = {0, 1, REQUESTS - 1};
    struct hpack_field fields[BROWSER_FIELDS];
    char paths[REQUESTS][40], text[BROWSER_TEXT_BYTES];
    size_t texts[REQUESTS], all_text = 0, all_blocks = 0;
    uint32_t answers[REQUESTS];
    int answered = 0;
    h2_open(&client, H2_WINDOW, &listener);
    h2_ping(&client); // the server's SETTINGS may say something about the table
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(paths[i], sizeof *paths, "/img/%d?size=200", i + 1);
        browser_fields(fields, paths[i]);
        uint32_t stream = h2_request(&client, fields, BROWSER_FIELDS);
        h2_await(&client, stream);
        answered += h2_answer(&client, stream)->status == 200;
        answers[i] = h2_answer(&client, stream)->block_bytes;
        all_text += texts[i] = browser_text(text, paths[i]);
        all_blocks += sent.blocks[i];
    }
    h2_close(&client);
    story_say("Ten images, asked for with the fields that a browser sends.");
    story_head("bytes of request|HTTP/1.1 text|HPACK|of the text|its response");
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        int n = shown[i];
        story_row("number %d|%zu|%u|%.0f %%|%u", n + 1, texts[n], sent.blocks[n],
                  100.0 * sent.blocks[n] / (double)texts[n], answers[n]);
    }
    story_row("all ten|%zu|%zu|%.0f %%|", all_text, all_blocks,
              100.0 * (double)all_blocks / (double)all_text);
    story_say("");
    story_say("The second request, byte by byte:");
    story_say("");
    browser_fields(fields, paths[1]);
    size_t length = sent.blocks[1];
    if (length > BLOCK_BYTES)
        length = 0; // it was not kept
    dump_block(sent.second, length, fields, BROWSER_FIELDS);
    struct parse_cost cost = parse_cost();
    story_say("");
    story_say("What it costs to read such a head, without the network:");
    story_head("a request's head|bytes|CPU time");
    story_row("text of HTTP/1.1|%zu|%.2f us", cost.text_bytes, cost.text_us);
    story_row("HPACK, the first of a connection|%zu|%.2f us", cost.first_bytes, cost.first_us);
    story_row("the same without Huffman's code|%zu|%.2f us", cost.plain_bytes, cost.plain_us);
    story_row("HPACK, a later one|%zu|%.2f us", cost.later_bytes, cost.later_us);
    bool much =
        sent.blocks[1] * 4 < sent.blocks[0] && sent.blocks[REQUESTS - 1] * 4 < sent.blocks[0];
    claim_report(&smaller, holds_if(much && answered == REQUESTS),
                 "%u bytes, then %u; HTTP/1.1 text: %zu each time. All %d were understood",
                 sent.blocks[0], sent.blocks[1], texts[1], answered);
    enum verdict verdict = UNCLEAR;
    if (sent.first == METHOD_GET && *sent.second == METHOD_GET)
        verdict = NOT_HERE;
    else if (*sent.second == METHOD_GET)
        verdict = HOLDS;
    claim_report(
        &sent_once, answered == REQUESTS ? verdict : UNCLEAR,
        "the first request begins with the byte %02x, the second with %02x: each time an "
        "index",
        sent.first, *sent.second);
    bool dear = cost.first_us > 1.5 * cost.text_us && cost.first_bytes < cost.plain_bytes &&
                cost.first_us > 1.2 * cost.plain_us;
    claim_report(&costly, holds_if(!cost.wrong && dear),
                 "a header block takes %.1f times as long as the text, without Huffman's code "
                 "%.1f times, and a later one, mostly indexes, %.1f times. The whole server is "
                 "another question: make bench",
                 cost.first_us / cost.text_us, cost.plain_us / cost.text_us,
                 cost.later_us / cost.text_us);
}
