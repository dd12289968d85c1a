// stream.h: the streams of one connection: their states (RFC 9113 §5.1), the two levels of flow
// control (§5.2, §6.9), and which stream sends next.
//
// Only open streams are in the list. A stream that is not there is idle, if its number is above
// `last_id`; else it is closed. So a stream takes memory only while it is open.
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "pages.h"

#define STREAM_HISTORY 512 // so many streams of a connection are remembered after their end
#define REQUEST_BYTES  48  // method and path, for the log: longer ones are cut

struct stream {
    struct stream *next, *previous;           // in the list of its connection
    struct stream *ring_next, *ring_previous; // in the ring of those that send; NULL: not in it
    uint32_t id;
    bool remote_ended;       // "half-closed (remote)": the request is complete
    bool answering;          // the HEADERS of the answer are sent
    bool answered;           // all of the answer is sent: "half-closed (local)"
    bool timed;              // the answer waits for a moment (/slow, ...), not for a window
    int32_t send_window;     // bytes that the server may send: may be below zero (§6.9.2)
    uint32_t receive_window; // bytes that the client may send
    uint32_t unreturned;     // bytes that were used, but not given back by WINDOW_UPDATE
    bool head;               // the method is HEAD: no content in the answer
    int64_t content_length;  // of the request, as its field says; -1: there is no such field
    int64_t received;        // bytes of the request's content that have come
    struct answer answer;
    char request[REQUEST_BYTES]; // "GET /img/1", perhaps cut short; "?": not read
};

struct streams {
    struct stream *first;
    struct stream *ring; // the next one to send
    uint32_t count;
    uint32_t last_id;    // the highest number that the client has used
    int32_t send_window; // this and the next two are the connection's own, as in struct stream
    uint32_t receive_window;
    uint32_t unreturned;
    int32_t initial_window;              // for send_window of new streams: the peer's setting
    uint8_t history[STREAM_HISTORY / 4]; // two bits each: enum stream_end
};

enum stream_end { STREAM_SKIPPED, STREAM_ENDED, STREAM_RESET };

void streams_begin(struct streams *streams);

// Opens the stream `id`, which is above last_id. NULL: no memory.
struct stream *stream_open(struct streams *streams, uint32_t id);

// True: the stream is idle (§5.1), so its number is higher than all that the client has used.
// An even number is always idle: it would belong to the server, which opens no streams.
bool stream_is_idle(const struct streams *streams, uint32_t id);

// Returns an open stream; NULL: the stream is not open.
struct stream *stream_find(const struct streams *streams, uint32_t id);

// Closes a stream, and remembers how. STREAM_RESET: the server has sent RST_STREAM. Frames of
// the client may be on their way then, and mean nothing (§5.1).
void stream_close(struct streams *streams, struct stream *stream, enum stream_end end);

// Remembers STREAM_RESET for a stream that was never opened, because it was refused.
void stream_refuse(struct streams *streams, uint32_t id);

// How a stream that is not open any more has ended.
enum stream_end stream_end_of(const struct streams *streams, uint32_t id);

void streams_close_all(struct streams *streams);

// ---- flow control --------------------------------------------------------------------------

// The client has sent `length` bytes of DATA (padding counts) on a stream (NULL: on one that is
// closed). Returns a fault if a window did not allow it.
struct fault streams_receive(struct streams *streams, struct stream *stream, uint32_t length);

// The server has used `length` of these bytes. Returns by how much the window of the stream
// (NULL: of the connection) is to be opened again: zero until it is worth a WINDOW_UPDATE.
uint32_t streams_return(struct streams *streams, struct stream *stream, uint32_t length);

// The client's WINDOW_UPDATE for a stream (NULL: for the connection). Returns a fault if the
// window is then above 2^31-1.
struct fault streams_widen(struct streams *streams, struct stream *stream, uint32_t increment);

// The client's SETTINGS_INITIAL_WINDOW_SIZE: moves the windows of all open streams (§6.9.2).
struct fault streams_resize(struct streams *streams, uint32_t initial_window);

// How many bytes this stream may send now.
uint32_t stream_may_send(const struct streams *streams, const struct stream *stream);

// `length` bytes of DATA were sent on the stream: both windows become smaller.
void stream_sent(struct streams *streams, struct stream *stream, uint32_t length);

// ---- which stream sends next ---------------------------------------------------------------

// The stream has something to send: it joins the ring at its end, if it is not in the ring.
void ring_join(struct streams *streams, struct stream *stream);

// The stream has nothing that it may send, for now: it leaves the ring.
void ring_leave(struct streams *streams, struct stream *stream);

// The turn goes to the next stream in the ring.
void ring_turn(struct streams *streams);

#endif
