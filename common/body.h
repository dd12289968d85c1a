// body.h: the body of an HTTP/1.1 message, as its head says that it comes: so many bytes, or in
// chunks, each with its size in front (RFC 9112 §6, §7.1), or until the connection closes.
#ifndef BODY_H
#define BODY_H

#include <sys/types.h>

#include "http.h"

#define CHUNK_LINE_BYTES 256 // of a chunk's size and extensions

struct http_body {
    enum {
        BODY_LENGTH,
        BODY_SIZE_LINE,
        BODY_CHUNK,
        BODY_CHUNK_END,
        BODY_TRAILER,
        BODY_TO_CLOSE
    } state;
    uint64_t left;        // bytes of the body, or of this chunk, to come
    size_t trailer_bytes; // that have come
    bool done;
};

// Begins the body of a request. Without a length and without chunks it has none.
void http_body_of_request(struct http_body *body, const struct http_head *head);

// Begins the body of a response; one to a HEAD request, a 1xx, a 204 or a 304 has none,
// whatever its fields say.
void http_body_of_response(struct http_body *body, const struct http_head *head, bool to_head);

// Reads the next part of the body at the start of bytes. Returns how many of them it has used
// (0 if more have to come), and sets *content to what is content among them; -400 or -431 if
// they are wrong, as http_read_request(). Call it until done is set, or nothing is used.
ssize_t http_body_take(struct http_body *body, const char *bytes, size_t length,
                       struct http_text *content);

#endif
