// buffer.h: bytes on their way from one connection to another one.
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>

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

// Sees to it that there is room behind the last byte for so many. False: there is no memory.
bool buffer_reserve(struct buffer *buffer, size_t length);

// Appends. False: there is no memory.
bool buffer_put(struct buffer *buffer, const void *bytes, size_t length);

// Forgets those bytes that are used; `at` is then 0. (It does so only where that pays.)
void buffer_compact(struct buffer *buffer);

// Forgets all bytes.
void buffer_clear(struct buffer *buffer);

void buffer_free(struct buffer *buffer);

#endif
