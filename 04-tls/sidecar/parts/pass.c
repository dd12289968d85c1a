// pass.c: see pass.h.
#include "pass.h"

#include <stdio.h>

#include "forward.h"

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
    if (!buffer_put(out, size, strlen(size)) || !buffer_reserve(out, length + 2))
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
