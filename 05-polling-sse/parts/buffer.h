// buffer.h: a place for bytes that come in parts, until a message or an event is whole. All
// buffers of a program together have a limit: many clients together cannot take all memory.
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUFFER_TOTAL (256 << 20) // bytes in all buffers together

struct buffer { // all zero: empty
    char *bytes;
    uint32_t length, size;
};

// Makes room for `length` more bytes and returns where the caller may write them; the caller
// then adds them to buffer->length. NULL: there is no memory for them.
char *buffer_grow(struct buffer *buffer, size_t length);

// Appends bytes. False: there is no memory for them.
bool buffer_add(struct buffer *buffer, const void *bytes, size_t length);

// Empties it and frees its memory.
void buffer_free(struct buffer *buffer);

#endif
