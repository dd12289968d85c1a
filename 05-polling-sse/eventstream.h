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
    bool began;               // the first line was read: it may begin with a mark
    bool after_cr;            // a newline now belongs to the line before
    bool delivered;           // the data is the caller's until the next call
    char name[EVENT_NAME];    // of the event that is coming
    char next_id[EVENT_NAME]; // its id
    char last_id[EVENT_NAME]; // of the last one that was whole: to be asked for again
    bool has_retry;           // the server has said retry_ms
    uint64_t retry_ms;        // what the server wants EventSource to wait; 0 means 0
    uint64_t comments;        // that have come
};

struct stream_event {
    const char *name; // NULL: no event is whole yet
    const char *id;
    struct http_text data;
};

// True if an answer with this head is such a stream: EventSource takes no other.
bool event_stream_is(const struct http_head *head);

// Reads up to the end of an event. Returns how many bytes it has used (all of them, if there is
// no event), -1 if something is too long or there is no memory. What it finds is valid until
// the next call.
ssize_t event_stream_read(struct event_stream *stream, const char *bytes, size_t length,
                          struct stream_event *got);

// Calls take() with each event that is whole with these bytes. False as above.
bool event_stream_take(struct event_stream *stream, struct http_text bytes,
                       void (*take)(const struct stream_event *event));

// Frees what has come of an event. When the stream was cut: a new one begins, with
// stream->last_id as its Last-Event-ID, which stays.
void event_stream_cut(struct event_stream *stream);

#endif
