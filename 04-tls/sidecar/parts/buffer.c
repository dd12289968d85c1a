// buffer.c: see buffer.h. Read pass_content() first.
#include "buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward.h"
#include "smaller.h"

#define BUFFER_FIRST 1024 // bytes of the first piece of memory: most messages find room in it

// Sees to it that there is room behind the last byte for so many. False: there is no memory.
static bool reserve(struct buffer *buffer, size_t length)
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
    if (!reserve(buffer, length))
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

ssize_t pass_content(struct http_body *body, const char *bytes, size_t length,
                     enum chunks chunks, struct buffer *out, uint64_t *content_bytes)
{
    ssize_t used = 0, part = 1;
    char size[20] = "";
    const char *chunk_end = "";
    if (chunks == CHUNKS_ON && length) {
        snprintf(size, sizeof size, "%zx\r\n", length);
        chunk_end = "\r\n";
    }
    if (!buffer_put(out, size, strlen(size)) || !reserve(out, length + 2))
        return -503;
    struct http_out room = {out->bytes + out->length, length + 2, 0, false};
    for (; part > 0 && !body->done; used += part)
        part = forward_pass_content(body, bytes + used, length - (size_t)used,
                                    chunks == CHUNKS_OFF, &room, content_bytes);
    out->length += room.length;
    if (part < 0)
        return part;
    if (!buffer_put(out, chunk_end, strlen(chunk_end)))
        return -503;
    return used;
}
