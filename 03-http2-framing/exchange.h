// exchange.h: requests and their answers, each on a stream of its own (RFC 9113 §8.1).
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "session.h"

// The most that these functions write where they do not look for room first.
#define EXCHANGE_ROOM 512

// A HEADERS frame whose block is decoded: a request, or the trailers of one.
struct fault exchange_headers(struct session *session, const struct frame *frame,
                              const struct hpack_list *list);

// A DATA frame: a part of a request's body.
struct fault exchange_data(struct session *session, const struct frame *frame);

// Sends DATA of the streams in the ring, in turn, as far as the windows and the room for output
// go. True if it has sent anything.
bool exchange_send(struct session *session);

// The stream's window may have opened: its answer goes on, if it is being sent.
void exchange_resume(struct session *session, struct stream *stream);

// Goes on with the answers whose time has come.
void exchange_due(struct session *session);

// When the next one's time comes; NEVER if none waits for that.
int64_t exchange_due_ns(const struct session *session);

// Gives back a window to the client: of the stream, or with NULL of the connection.
void exchange_return(struct session *session, struct stream *stream, uint32_t length);

// Closes a stream, whatever state it is in.
void exchange_close(struct session *session, struct stream *stream, enum stream_end end);

#endif
