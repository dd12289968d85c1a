// buffer.c: see buffer.h.
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 256

static size_t total; // bytes in all buffers together

char *buffer_grow(struct buffer *buffer, size_t length)
{
    size_t size = buffer->size;
    if (size == 0)
        size = FIRST_BYTES;
    while (size < buffer->length + length && size <= BUFFER_TOTAL)
        size *= 2;
    if (size > buffer->size) {
        if (total - buffer->size + size > BUFFER_TOTAL)
            return NULL;
        char *bytes = realloc(buffer->bytes, size);
        if (!bytes)
            return NULL;
        total += size - buffer->size;
        buffer->bytes = bytes;
        buffer->size = (uint32_t)size;
    }
    return buffer->bytes + buffer->length;
}

bool buffer_add(struct buffer *buffer, const void *bytes, size_t length)
{
    char *to = buffer_grow(buffer, length);
    if (!to)
        return false;
    memcpy(to, bytes, length);
    buffer->length += (uint32_t)length;
    return true;
}

void buffer_free(struct buffer *buffer)
{
    total -= buffer->size;
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}
