// buffer.c: see buffer.h.
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#include "smaller.h"

#define BUFFER_FIRST 1024 // bytes of the first piece of memory: most messages find room in it

bool buffer_reserve(struct buffer *buffer, size_t length)
{
    size_t size = larger(buffer->size, BUFFER_FIRST);
    while (size < buffer->length + length)
        size *= 2;
    if (size == buffer->size)
        return true;
    char *bytes = realloc(buffer->bytes, size);
    if (!bytes)
        return false;
    buffer->bytes = bytes;
    buffer->size = size;
    return true;
}

bool buffer_put(struct buffer *buffer, const void *bytes, size_t length)
{
    if (!buffer_reserve(buffer, length))
        return false;
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
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
