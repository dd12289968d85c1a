// buffer.c: see buffer.h.
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER_FIRST 1024 // bytes of the first piece of memory: most messages find room in it

bool buffer_put(struct buffer *buffer, const void *bytes, size_t length)
{
    size_t needed = buffer->length + length, size = buffer->size;
    if (size == 0)
        size = BUFFER_FIRST;
    while (size < needed)
        size *= 2;
    if (size != buffer->size) {
        char *larger = realloc(buffer->bytes, size);
        if (!larger)
            return false;
        buffer->bytes = larger;
        buffer->size = size;
    }
    if (length)
        memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length = needed;
    return true;
}

void buffer_compact(struct buffer *buffer)
{
    size_t left = buffer_left(buffer);
    if (buffer->at < left)
        return;
    if (left)
        memmove(buffer->bytes, buffer->bytes + buffer->at, left);
    buffer->at = 0;
    buffer->length = left;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->at = buffer->length = 0;
    if (buffer->size > BUFFER_KEPT)
        buffer_free(buffer);
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}
