// feed.h: a list of events, each with an id. A ring keeps the newest ones.
//
// Each id is one above the id before. The caller chooses the first one, and the server takes
// the time of its start: so ids never go back, also when the server is started again. A client
// with an id of an earlier run is recognised, and is told that events are missing.
//
// Each event is written once, when it is published, in the three forms in which it travels. All
// subscribers are sent these same bytes.
//
//     id: 7                      what EventSource reads (HTML standard §9.2)
//     event: price
//     data: 12.50
//
//     {"id":7,"event":"price","data":"12.50"}      a WebSocket message; a line of a poll
#ifndef FEED_H
#define FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"

#define FEED_BYTES 67108864 // 64 MB of events in a ring; then the oldest leave it earlier

enum feed_form {
    FEED_SSE,   // an event of text/event-stream
    FEED_FRAME, // a WebSocket frame, header and all
    FEED_LINE,  // a line of JSON, with its newline
    FEED_FORMS,
};

struct event {
    uint64_t id;
    const void *author;          // this subscriber is not sent the event; NULL: all are
    uint32_t references;         // the ring and each connection that sends it; 0: it is freed
    uint32_t at[FEED_FORMS];     // where in bytes[] each form begins
    uint32_t length[FEED_FORMS]; // how many bytes each form has
    uint32_t size;               // bytes of this struct and of bytes[]
    char bytes[];
};

struct feed {
    struct event **ring;
    uint32_t size;   // how many events the ring has room for
    uint64_t first;  // the id of the very first event
    uint64_t oldest; // the id of the oldest event in the ring; newest + 1: the ring is empty
    uint64_t newest; // the id of the newest event; first - 1: none was published yet
    size_t bytes;    // the bytes of all events in the ring
};

// Makes a feed whose ring has room for `size` events. The first event gets the id `first`,
// which must not be 0. False: no memory.
bool feed_begin(struct feed *feed, uint32_t size, uint64_t first);
void feed_end(struct feed *feed);

// Adds an event. A name of length 0 is "message", which is what EventSource calls an event
// without a name. The data is UTF-8 with any line ends. Returns its id, or 0 without memory.
uint64_t feed_publish(struct feed *feed, struct http_text name, struct http_text data,
                      const void *author);

// Returns the event after `seen`, NULL if there is none yet. If that event has left the ring,
// or if the feed does not know `seen`, it returns an event called "reset", whose id is the one
// before the oldest event. The caller gives the event back with event_release().
struct event *feed_next(const struct feed *feed, uint64_t seen);

// Reads the id that a subscriber has sent, of the last event that it has seen. "0" means none
// yet: the position before the first event. A text that is no number gives UINT64_MAX, which
// this feed does not know.
uint64_t feed_position(const struct feed *feed, struct http_text seen);

// True if the feed no longer has all events that came after `seen`.
bool feed_has_moved_on(const struct feed *feed, uint64_t seen);

// Makes an event that is in no feed, for one subscriber. NULL: no memory.
struct event *event_make(uint64_t id, struct http_text name, struct http_text data);

// The bytes of one form of an event.
struct http_text event_text(const struct event *event, enum feed_form form);

void event_release(struct event *event);

#endif
