// eventstream.h: reads text/event-stream as EventSource does (HTML standard §9.2.6), from bytes
// that come in any pieces.
#ifndef EVENTSTREAM_H
#define EVENTSTREAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "buffer.h"
#include "http.h"

#define EVENT_MAX  1048576 // bytes of an event's data, and of a line
#define EVENT_NAME 128     // bytes of an id or a name, with the '\0'

struct event_stream { // all zero: at the beginning of a stream
    struct buffer line, data;
    bool began;               // the first line was read; only that line may begin with a mark
    bool after_cr;            // the last byte was '\r': a '\n' now belongs to the same line end
    bool delivered;           // the caller still uses `data`; the next call empties it
    char name[EVENT_NAME];    // the name of the event that is coming
    char next_id[EVENT_NAME]; // the id of the event that is coming
    char last_id[EVENT_NAME]; // the id of the last whole event: the next request names it
    bool has_retry;           // the server has sent retry_ms
    uint64_t retry_ms; // the time after which EventSource connects again; 0 means at once
    uint64_t comments; // how many comments have come
};

struct stream_event {
    const char *name; // NULL: no event is whole yet
    const char *id;
    struct http_text data;
};

// True if an answer with this head is such a stream: EventSource takes no other.
bool event_stream_is(const struct http_head *head);

// Reads up to the end of an event. Returns how many bytes it has used: all of them, if no event
// is whole. Returns -1 if a line or an event is too long, or if there is no memory. The event
// in *got is valid until the next call.
ssize_t event_stream_read(struct event_stream *stream, const char *bytes, size_t length,
                          struct stream_event *got);

// Reads all of these bytes, and calls take() with each event that is whole. False: a line or an
// event is too long, or there is no memory.
bool event_stream_take(struct event_stream *stream, struct http_text bytes,
                       void (*take)(const struct stream_event *event));

// Call it when the connection of a stream is closed. It throws away the event that has come
// only in part. stream->last_id stays: the next request sends it as its Last-Event-ID.
void event_stream_cut(struct event_stream *stream);

#endif
