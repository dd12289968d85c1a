// content.h: the content of messages on its way. It keeps its length, or it comes in chunks
// that are made anew.
#ifndef CONTENT_H
#define CONTENT_H

#include "exchange.h"

#define FRAME_BYTES 40 // of a chunk's size line, its end, and the last chunk

// A request's content has to come at LOOP_SLOWEST_RATE, measured over this time.
#define CONTENT_MS 15000

// Writes a part of some content; `last`: nothing follows. It needs FRAME_BYTES of room more
// than the part has.
void content_put(struct http_out *out, struct http_text part, bool chunked, bool last);

// Passes on what has come of a message's content, to a pipe. Returns how many bytes are used; 0
// if there is no room, or a line of the chunks is not whole; or a negated status, if they are
// malformed (body->why).
ssize_t content_pass(struct http_body *body, bool chunked, struct pipe *pipe, const char *bytes,
                     size_t length);

// What has come of a request's content. Returns how many bytes are used.
size_t request_content(struct client *client, const char *bytes, size_t length);

// True if the client has kept to the lowest rate, or could not, because the server is slow.
bool request_is_in_pace(struct client *client);

#endif
