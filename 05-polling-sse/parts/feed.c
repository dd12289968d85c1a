// feed.c: see feed.h. Read feed_publish() first.
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "websocket.h"

#define ENVELOPE 200 // bytes of an event without its name and its data, in all forms
#define ESCAPED  6   // the most bytes for one character: \u001f, or "data: " for a line end

// ---- writing an event out ------------------------------------------------------------------

// The length of the line at `at`. A line ends with \n, \r\n or \r. *next is the beginning of
// the next line, NULL if this was the last one.
static size_t line_length(const char *at, const char *end, const char **next)
{
    const char *stop = at;
    while (stop < end && *stop != '\n' && *stop != '\r')
        stop++;
    *next = NULL;
    size_t length = (size_t)(stop - at);
    if (end - stop > 1 && stop[0] == '\r' && stop[1] == '\n')
        stop++; // both bytes are one line end
    if (stop < end)
        *next = stop + 1;
    return length;
}

// Each line of the data becomes a field of its own; the reader joins them again with newlines.
static void put_sse(struct http_out *out, uint64_t id, struct http_text name,
                    struct http_text data)
{
    const char *end = data.at + data.length, *next;
    http_put_text(out, "id: ");
    http_put_number(out, id, 10);
    if (name.length) {
        http_put_text(out, "\nevent: ");
        http_put(out, name.at, name.length);
    }
    for (const char *at = data.at; at; at = next) {
        size_t length = line_length(at, end, &next);
        http_put_text(out, "\ndata: ");
        http_put(out, at, length);
    }
    http_put_text(out, "\n\n");
}

// A string of JSON (RFC 8259 §7). Every line end becomes \n, as it does for EventSource.
static void put_string(struct http_out *out, struct http_text text)
{
    char escape[8];
    const char *end = text.at + text.length, *plain = text.at;
    http_put(out, "\"", 1);
    for (const char *at = text.at; at < end; at++) {
        uint8_t c = (uint8_t)*at;
        if (c >= ' ' && c != '"' && c != '\\')
            continue;
        http_put(out, plain, (size_t)(at - plain));
        plain = at + 1;
        if (c == '\r' && plain < end && *plain == '\n')
            plain = ++at + 1;
        if (c == '"' || c == '\\')
            snprintf(escape, sizeof escape, "\\%c", c);
        else if (c == '\n' || c == '\r')
            snprintf(escape, sizeof escape, "\\n");
        else
            snprintf(escape, sizeof escape, "\\u%04x", c);
        http_put_text(out, escape);
    }
    http_put(out, plain, (size_t)(end - plain));
    http_put(out, "\"", 1);
}

static void put_json(struct http_out *out, uint64_t id, struct http_text name,
                     struct http_text data)
{
    http_put_text(out, "{\"id\":");
    http_put_number(out, id, 10);
    http_put_text(out, ",\"event\":\"");
    if (name.length)
        http_put(out, name.at, name.length);
    else
        http_put_text(out, "message");
    http_put_text(out, "\",\"data\":");
    put_string(out, data);
    http_put_text(out, "}");
}

static size_t room_for(struct http_text name, struct http_text data)
{
    size_t special = 0;
    for (size_t i = 0; i < data.length; i++)
        special += (uint8_t)data.at[i] < ' ' || data.at[i] == '"' || data.at[i] == '\\';
    return ENVELOPE + 2 * (name.length + data.length + ESCAPED * special);
}

static void set_form(struct event *event, enum feed_form form, size_t at, size_t end)
{
    event->at[form] = (uint32_t)at;
    event->length[form] = (uint32_t)(end - at);
}

// Writes the event in all its forms: first SSE, then a frame's header, JSON, and a newline. The
// frame and the line share the JSON.
struct event *event_make(uint64_t id, struct http_text name, struct http_text data)
{
    size_t size = room_for(name, data);
    struct event *event = malloc(sizeof *event + size);
    if (!event)
        return NULL;
    struct http_out out = {event->bytes, size, 0, false};
    put_sse(&out, id, name, data);
    size_t frame = out.length, json = frame + WS_HEADER_BYTES;
    set_form(event, FEED_SSE, 0, frame);
    out.length = json;
    put_json(&out, id, name, data);
    size_t end = out.length;
    char header[WS_HEADER_BYTES];
    size_t header_bytes = websocket_put_header(header, WS_TEXT, true, end - json, NULL);
    memcpy(event->bytes + json - header_bytes, header, header_bytes);
    http_put(&out, "\n", 1);
    set_form(event, FEED_FRAME, json - header_bytes, end);
    set_form(event, FEED_LINE, json, end + 1);
    event->id = id;
    event->author = NULL;
    event->references = 1;
    event->size = (uint32_t)(sizeof *event + out.length);
    struct event *fitting = realloc(event, event->size);
    if (!fitting)
        return event;
    return fitting;
}

struct http_text event_text(const struct event *event, enum feed_form form)
{
    return (struct http_text){event->bytes + event->at[form], event->length[form]};
}

void event_release(struct event *event)
{
    if (!--event->references)
        free(event);
}

// ---- the ring ------------------------------------------------------------------------------

bool feed_begin(struct feed *feed, uint32_t size, uint64_t first)
{
    *feed = (struct feed){.ring = calloc(size, sizeof *feed->ring),
                          .size = size,
                          .first = first,
                          .oldest = first,
                          .newest = first - 1};
    return feed->ring;
}

uint64_t feed_position(const struct feed *feed, struct http_text seen)
{
    uint64_t id;
    if (!http_number(seen, UINT64_MAX, &id))
        return UINT64_MAX;
    if (id == 0)
        return feed->first - 1;
    return id;
}

static void drop_oldest(struct feed *feed)
{
    struct event *event = feed->ring[feed->oldest++ % feed->size];
    feed->bytes -= event->size;
    event_release(event);
}

void feed_end(struct feed *feed)
{
    while (feed->oldest <= feed->newest)
        drop_oldest(feed);
    free(feed->ring);
}

uint64_t feed_publish(struct feed *feed, struct http_text name, struct http_text data,
                      const void *author)
{
    struct event *event = event_make(feed->newest + 1, name, data);
    if (!event)
        return 0;
    event->author = author;
    while (feed->oldest <= feed->newest && (feed->newest - feed->oldest + 1 >= feed->size ||
                                            feed->bytes + event->size > FEED_BYTES))
        drop_oldest(feed);
    feed->newest = event->id;
    feed->bytes += event->size;
    feed->ring[event->id % feed->size] = event;
    return event->id;
}

bool feed_has_moved_on(const struct feed *feed, uint64_t seen)
{
    return seen + 1 < feed->oldest || seen > feed->newest;
}

static struct event *make_reset(const struct feed *feed)
{
    char text[100];
    int length = snprintf(text, sizeof text, "here the feed begins with %llu",
                          (unsigned long long)feed->oldest);
    return event_make(feed->oldest - 1, (struct http_text){"reset", 5},
                      (struct http_text){text, (size_t)length});
}

struct event *feed_next(const struct feed *feed, uint64_t seen)
{
    if (feed_has_moved_on(feed, seen))
        return make_reset(feed);
    if (seen == feed->newest)
        return NULL;
    struct event *event = feed->ring[(seen + 1) % feed->size];
    event->references++;
    return event;
}
