// chunks.c: scene chunks: a stream of three events comes in two chunks. The reader of the notes
// takes each chunk by itself. What does it lose, when the cut is behind each byte in turn?
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "eventstream.h"
#include "json.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define EVENTS 3

// What the notes' own endpoint sends: events of JSON, without ids.
static const char stream[] = "data: {\"text\":\"one\"}\n\n"
                             "data: {\"text\":\"caf\u00e9\"}\n\n"
                             "data: {\"text\":\"three\"}\n\n";
static const char *const texts[EVENTS] = {"one", "caf\u00e9", "three"};

static int taken; // events of this stream that have come as they were sent

// Takes the JSON of an event. False: it is no JSON, and JSON.parse() throws.
static bool take_json(struct http_text json)
{
    struct buffer text = {0};
    bool good = json_string(json, "text", &text);
    struct http_text word = {text.bytes, text.length};
    for (int i = 0; good && i < EVENTS; i++)
        taken += http_is(word, texts[i]);
    buffer_free(&text);
    return good;
}

// ---- two readers ---------------------------------------------------------------------------

// Takes what stands before the next empty line, or all, off a text.
static struct http_text split(struct http_text *text)
{
    const char *end = memmem(text->at, text->length, "\n\n", 2),
               *last = text->at + text->length;
    struct http_text part = *text;
    text->length = 0;
    if (!end)
        return part;
    part.length = (size_t)(end - part.at);
    *text = (struct http_text){end + 2, (size_t)(last - (end + 2))};
    return part;
}

// The reader of guide §15.7: it splits a chunk at each empty line, and takes the parts that
// begin with "data: ". False: it throws, and reads no further. (It also decodes each chunk by
// itself. But a letter that is cut stands in JSON that is cut.)
static bool take_chunk(struct event_stream *unused, struct http_text chunk)
{
    static const char name[] = "data: ";
    size_t length = strlen(name);
    (void)unused;
    while (chunk.length) {
        struct http_text part = split(&chunk);
        if (part.length < length || memcmp(part.at, name, length) != 0)
            continue;
        if (!take_json((struct http_text){part.at + length, part.length - length}))
            return false;
    }
    return true;
}

static void take_event(const struct stream_event *event)
{
    take_json(event->data);
}

// The reader of eventstream.c. What is not whole waits for the next chunk.
static bool take_stream(struct event_stream *reader, struct http_text chunk)
{
    return event_stream_take(reader, chunk, take_event);
}

// ---- the scene -----------------------------------------------------------------------------

static struct result {
    int loses;  // cuts with which not all events come
    int throws; // of these, those with which the reader ends with an error
} results[2];

// Cuts the stream behind each of its bytes in turn. Returns how many cuts that are.
static int cut_everywhere(bool (*take)(struct event_stream *reader, struct http_text chunk),
                          struct result *result)
{
    int cuts = 0;
    for (size_t at = 1; at < strlen(stream); at++, cuts++) {
        struct event_stream reader = {0};
        taken = 0;
        bool good = take(&reader, (struct http_text){stream, at}) &&
                    take(&reader, (struct http_text){stream + at, strlen(stream) - at});
        event_stream_cut(&reader);
        result->loses += taken != EVENTS;
        result->throws += !good;
    }
    return cuts;
}

static const struct claim by_chunks = {
    "5.49", "guide §15.7",
    "a reader takes each chunk by itself: it decodes, splits and parses it", NOT_HERE,
    "A chunk ends where a packet ends, or a buffer. An event is whole at its empty line, and "
    "may "
    "begin in one chunk and end in another one (HTML, server-sent events, §9.2.6)."};

void scene_chunks(void)
{
    story_say(
        "Three events, %zu bytes, come in two chunks. The first chunk ends behind the first "
        "byte, then behind the second one, and so on.",
        strlen(stream));
    int cuts = cut_everywhere(take_chunk, &results[0]);
    cut_everywhere(take_stream, &results[1]);
    story_head("the reader|cuts|it loses events|of these, it throws");
    story_row("takes each chunk by itself|%d|%d|%d", cuts, results[0].loses, results[0].throws);
    story_row("keeps what is not whole|%d|%d|%d", cuts, results[1].loses, results[1].throws);
    enum verdict verdict = UNCLEAR;
    if (results[0].loses > cuts / 2 && results[0].throws > 0 && !results[1].loses)
        verdict = NOT_HERE;
    else if (!results[0].loses)
        verdict = HOLDS;
    claim_report(
        &by_chunks, verdict,
        "with %d of %d cuts events are lost, with %d of them the reader throws; a reader "
        "that keeps the rest for the next chunk loses events with %d",
        results[0].loses, cuts, results[0].throws, results[1].loses);
}
