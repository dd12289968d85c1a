// request.h: a request on its stream, from its HEADERS to its end (RFC 9113 §8.1).
#ifndef REQUEST_H
#define REQUEST_H

#include "connection.h"

#define SHARE_BYTES (1 << 20) // of bodies of a connection: above it one stream at a time

// A HEADERS frame whose block is decoded: a request, or the trailers of one.
struct fault request_headers(struct connection *c, const struct frame *frame,
                             const struct hpack_list *list);

// A DATA frame: a part of a request's body. `stream` is NULL if it is not open.
struct fault request_data(struct connection *c, struct stream *stream,
                          const struct frame *frame);

// The client's RST_STREAM. `stream` is NULL if it is not open any more.
struct fault request_cancel(struct connection *c, struct stream *stream);

// Gives the streams that wait for window what they may have now.
void request_share_windows(struct connection *c);

// The stream whose body comes too slowly while others wait for window; 0: none.
uint32_t request_too_slow(const struct connection *c);

// When request_too_slow() has to be asked next; NEVER if no stream waits for window.
int64_t request_due_ns(const struct connection *c);

#endif
