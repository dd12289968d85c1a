// stream.h: the streams of one connection: their states (RFC 9113 §5.1), the two levels of flow
// control (§5.2, §6.9), and whose turn it is to send.
//
// A stream that is not in the list is idle, if its number is above `last_id`, or closed: so a
// request costs the memory of a stream only as long as it lives.
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "pages.h"

#define STREAM_HISTORY 512 // so many streams of a connection are remembered after their end
#define REQUEST_BYTES  48  // of method and path, for the log

struct stream {
    struct stream *next, *previous;           // in the list of its connection
    struct stream *ring_next, *ring_previous; // in the ring of those that send; NULL: not in it
    uint32_t id;
    bool remote_ended;       // "half-closed (remote)": the request is complete
    bool answering;          // its HEADERS are sent
    bool answered;           // all of it is sent: "half-closed (local)"
    bool timed;              // the rest of its answer waits for its time
    int32_t send_window;     // what the peer lets us send: may be below zero (§6.9.2)
    uint32_t receive_window; // what we let the peer send
    uint32_t unreturned;     // bytes that were used, but not given back by WINDOW_UPDATE
    bool head;               // the method is HEAD: no content in the answer
    int64_t content_length;  // that the request has announced; -1: none
    int64_t received;        // bytes of content so far
    struct answer answer;
    char request[REQUEST_BYTES]; // "GET /img/1", perhaps cut short; "?": not read
};

struct streams {
    struct stream *first;
    struct stream *ring; // the next one to send
    uint32_t count;
    uint32_t last_id;    // the highest one that the peer has opened
    int32_t send_window; // the connection's own two windows, as above
    uint32_t receive_window;
    uint32_t unreturned;
    int32_t initial_window;              // for send_window of new streams: the peer's setting
    uint8_t history[STREAM_HISTORY / 4]; // two bits each: enum stream_end
};

enum stream_end { STREAM_SKIPPED, STREAM_ENDED, STREAM_RESET };

void streams_begin(struct streams *streams);

// Opens the stream `id`, which is above last_id. NULL: no memory.
struct stream *stream_open(struct streams *streams, uint32_t id);

// Whether the stream is idle (§5.1): it was never opened, and was not skipped. An even number
// would belong to the server, which opens no stream: it is always idle.
bool stream_is_idle(const struct streams *streams, uint32_t id);

// An open stream, or NULL.
struct stream *stream_find(const struct streams *streams, uint32_t id);

// Closes a stream and remembers how: STREAM_RESET if we have sent RST_STREAM, after which the
// peer's frames may be on their way for a while and mean nothing (§5.1).
void stream_close(struct streams *streams, struct stream *stream, enum stream_end end);

// Remembers STREAM_RESET for a stream that was never opened, because it was refused.
void stream_refuse(struct streams *streams, uint32_t id);

// How a stream that is not open any more has ended.
enum stream_end stream_end_of(const struct streams *streams, uint32_t id);

void streams_close_all(struct streams *streams);

// ---- flow control --------------------------------------------------------------------------

// The peer has sent `length` bytes of DATA (padding counts), on a stream or, with NULL, on one
// that is closed. A fault if a window did not allow it.
struct fault streams_receive(struct streams *streams, struct stream *stream, uint32_t length);

// `length` of those bytes are used. Returns by how much the window of the stream, or with NULL
// of the connection, is to be opened again: zero until it is worth a WINDOW_UPDATE.
uint32_t streams_return(struct streams *streams, struct stream *stream, uint32_t length);

// The peer's WINDOW_UPDATE, for a stream or, with NULL, for the connection: a fault above
// 2^31-1.
struct fault streams_widen(struct streams *streams, struct stream *stream, uint32_t increment);

// The peer's SETTINGS_INITIAL_WINDOW_SIZE: moves the windows of all open streams (§6.9.2).
struct fault streams_resize(struct streams *streams, uint32_t initial_window);

// How many bytes this stream may send now.
uint32_t stream_may_send(const struct streams *streams, const struct stream *stream);

// `length` bytes of DATA were sent on the stream: both windows become smaller.
void stream_sent(struct streams *streams, struct stream *stream, uint32_t length);

// ---- whose turn it is ----------------------------------------------------------------------

// The stream has something to send: it joins the ring at its end, if it is not in it.
void ring_join(struct streams *streams, struct stream *stream);

// The stream has nothing that it may send, for now: it leaves the ring.
void ring_leave(struct streams *streams, struct stream *stream);

// The turn goes to the next stream in the ring.
void ring_turn(struct streams *streams);

#endif
