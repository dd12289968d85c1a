// response.h: sends the answer to a request, on the request's stream (RFC 9113 §8.1). pages.c
// decides what the answer is.
#ifndef RESPONSE_H
#define RESPONSE_H

#include "connection.h"

// Before a call of these functions there has to be so much room for output.
#define RESPONSE_ROOM 512

// Sends the HEADERS of stream->answer, if it is time for them. If there is content, the stream
// joins the ring of those that send.
void response_begin(struct connection *c, struct stream *stream);

// Replaces the answer by an error, and sends its HEADERS.
void response_error(struct connection *c, struct stream *stream, int status);

// Writes one HEADERS frame, and no more: response_begin() needs it, and request.c for a 100.
void response_head(struct connection *c, uint32_t id, const struct answer *answer,
                   uint8_t flags);

// Sends DATA of the streams in the ring, in turn, as far as the windows and the room for output
// allow. True: it has sent something.
bool response_send(struct connection *c);

// The stream's window may have opened: its answer goes on, if it is being sent.
void response_resume(struct connection *c, struct stream *stream);

// Goes on with the answers whose time has come, and ends those whose body was evicted.
void response_due(struct connection *c);

// When the time of the next answer comes; NEVER if none waits for that.
int64_t response_due_ns(const struct connection *c);

// Closes a stream, whatever state it is in. response_reset() also sends RST_STREAM.
void response_close(struct connection *c, struct stream *stream, enum stream_end end);
void response_reset(struct connection *c, uint32_t id, struct fault fault);

#endif
