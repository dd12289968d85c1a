// buffer.h: bytes on their way from one connection to another one.
#ifndef BUFFER_H
#define BUFFER_H

#include "http.h"

#define BUFFER_KEPT 4096 // bytes of memory that an empty buffer keeps for its next use

struct buffer {
    char *bytes;
    size_t at, length; // what is left is between the two
    size_t size;       // of the memory
};

static inline size_t buffer_left(const struct buffer *buffer)
{
    return buffer->length - buffer->at;
}

// Appends. False: there is no memory.
bool buffer_put(struct buffer *buffer, const void *bytes, size_t length);

// Forgets those bytes that are used; `at` is then 0. (It does so only where that pays.)
void buffer_compact(struct buffer *buffer);

// Forgets all bytes.
void buffer_clear(struct buffer *buffer);

void buffer_free(struct buffer *buffer);

// How the end of content is told to the next hop.
enum chunks {
    CHUNKS_AS_THEY_ARE, // content passes as it is, but for the fields behind the last chunk
    CHUNKS_ON, // content without a length is put into chunks; the last one is not written
    CHUNKS_OFF // content in chunks is taken out of them
};

// Moves content from `bytes` to `out`. Returns how many bytes are used; -503 where there is no
// memory, or another status, negated, if they are malformed.
ssize_t pass_content(struct http_body *body, const char *bytes, size_t length,
                     enum chunks chunks, struct buffer *out, uint64_t *content_bytes);

#endif
