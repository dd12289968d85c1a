// stream.h: one stream: bytes in order in each direction, numbered from 0 (RFC 9000 §2.2). A
// stream knows nothing of packets: it says which bytes are to be sent next, is told which of
// them are lost, and puts bytes that have come in any order into their places.
#ifndef STREAM_H
#define STREAM_H

#include "ranges.h"

#define SIZE_UNKNOWN UINT64_MAX

// Bytes of a stream that travel in one packet.
struct chunk {
    uint64_t offset;
    uint16_t length;
    uint8_t stream; // its place in the connection
    bool end;       // the stream ends behind these bytes
};

struct stream {
    uint64_t id;
    uint8_t place;
    void *user; // the program's own

    // Out. The program keeps the bytes: this end asks for them again when they were lost.
    uint64_t out_here;  // the program has the bytes below this one,
    bool out_whole;     // and there will be no more
    uint64_t out_next;  // the first byte that was never sent
    uint64_t out_max;   // the peer's window: bytes from here on may not be sent
    struct ranges lost; // to be sent again
    bool end_sent, end_lost;
    bool reset, reset_due;
    uint64_t reset_code;

    // In. Byte number n is at buffer[n % window].
    uint8_t *buffer;
    uint32_t window;
    struct ranges here;     // bytes that are here, from in_next on
    uint64_t in_next;       // the next byte for the program
    uint64_t in_top;        // behind the highest byte that has come
    uint64_t in_size;       // where the stream ends; SIZE_UNKNOWN
    uint64_t in_max;        // what the peer was told: bytes from here on may not come
    bool window_due;        // it is to be told more
    bool in_over;           // the program has all of it, or knows that no more will come
    int64_t gap_since_ns;   // bytes are here, but those before them are not; 0: no gap
    int64_t gap_ns;         // how long there was a gap, all in all
    int64_t gap_longest_ns; // the longest one
};

// `window`: bytes that may come before the program has taken them. False: no memory.
bool stream_begin(struct stream *stream, uint64_t id, uint8_t place, uint32_t window);
void stream_end(struct stream *stream);

// The next bytes to send: at most `max`, lost ones first; of new ones, no more than the window
// of the stream and `*credit`, the window of the connection, which it makes smaller. False:
// nothing now.
bool stream_next(struct stream *stream, uint64_t max, uint64_t *credit, struct chunk *chunk);

// A chunk has not arrived.
void stream_lost(struct stream *stream, const struct chunk *chunk);

// Bytes have come. Returns an error of the protocol, NO_ERROR (0), or -1: no memory for them.
int stream_receive(struct stream *stream, const struct frame *frame, int64_t now_ns);

// The bytes that are next for the program, as many as lie together in memory. 0: none.
size_t stream_readable(const struct stream *stream, const uint8_t **bytes);

// The program has taken so many. When half of the window is used up, the peer is to be told.
void stream_take(struct stream *stream, size_t length);

#endif
