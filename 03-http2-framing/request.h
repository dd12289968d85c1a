// request.h: a request on its stream, from its HEADERS to its end (RFC 9113 §8.1).
#ifndef REQUEST_H
#define REQUEST_H

#include "connection.h"

// When the bodies of a connection take more bytes, only one of its streams at a time gets
// window.
#define SHARE_BYTES (1 << 20)

// Takes a HEADERS frame, decoded to `list`: a request, or the trailers of one.
struct fault request_headers(struct connection *c, const struct frame *frame,
                             const struct hpack_list *list);

// Takes a DATA frame: a part of a request's body. `stream` is NULL if it is not open.
struct fault request_data(struct connection *c, struct stream *stream,
                          const struct frame *frame);

// Takes the client's RST_STREAM. `stream` is NULL if it is not open any more.
struct fault request_cancel(struct connection *c, struct stream *stream);

// Opens the windows of the streams that wait for it, as far as they may now.
void request_share_windows(struct connection *c);

// Returns the stream that gets window while others wait, if its body comes too slowly; 0: none.
uint32_t request_too_slow(const struct connection *c);

// When request_too_slow() has to be asked next; NEVER if no stream waits for window.
int64_t request_due_ns(const struct connection *c);

#endif
