// feed.h: what there is news of: events with ids, the last so many of them in a ring. Ids grow
// by one, and never go back, also when the server is started again: the first one is what its
// caller says, and the server says the time of its start. So an id of an earlier run is known
// to be old, and the client is told that events are missing. An event is written out once, when
// it is published, in the three forms in which it travels; whoever sends it, to however many
// subscribers, sends these bytes.
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
    const void *author; // who need not be told; NULL: nobody
    uint32_t references;
    uint32_t at[FEED_FORMS], length[FEED_FORMS]; // where in bytes[] a form stands
    uint32_t size;                               // of all of it
    char bytes[];
};

struct feed {
    struct event **ring;
    uint32_t size;   // events that the ring has room for
    uint64_t first;  // id of the first event that there ever is
    uint64_t oldest; // id of the oldest event there is; newest + 1: there is none
    uint64_t newest; // id of the newest event; first - 1: there was none yet
    size_t bytes;    // of the events in the ring
};

// Makes a feed with room for so many events, of which the first one gets the id `first`, which
// is not 0. False: no memory.
bool feed_begin(struct feed *feed, uint32_t size, uint64_t first);
void feed_end(struct feed *feed);

// Adds an event. A name of length 0 is "message", which is what EventSource calls an event
// without a name. The data is UTF-8 with any line ends. Returns its id, or 0 without memory.
uint64_t feed_publish(struct feed *feed, struct http_text name, struct http_text data,
                      const void *author);

// For a subscriber who has seen all events up to `seen`: the next one, NULL if there is none
// yet. If the feed has moved on without the subscriber (or knows nothing of such an event), an
// event called "reset" comes first, whose id is the one before the oldest that there is. The
// caller gives what it gets back with event_release().
struct event *feed_next(const struct feed *feed, uint64_t seen);

// Where a subscriber stands that says which event it has seen last. 0 is "none yet", so it
// stands before the first event; what is no number is an event that this feed does not know.
uint64_t feed_position(const struct feed *feed, struct http_text seen);

// True if there is no way to bring all that came after `seen`.
bool feed_has_moved_on(const struct feed *feed, uint64_t seen);

// Makes an event that is in no feed, for one subscriber. NULL: no memory.
struct event *event_make(uint64_t id, struct http_text name, struct http_text data);

// The bytes of one form of an event.
struct http_text event_text(const struct event *event, enum feed_form form);

void event_release(struct event *event);

#endif
