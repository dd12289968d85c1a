// pass.c: see pass.h.
#include "pass.h"

#include <stdio.h>

ssize_t pass_content(struct http_body *body, const char *bytes, size_t length,
                     enum chunks chunks, struct buffer *out, uint64_t *content_bytes)
{
    size_t used = 0;
    while (!body->done && used < length) {
        struct http_text content = {NULL, 0};
        bool trailer = body->state == BODY_TRAILER, good = true;
        ssize_t part = http_body_take(body, bytes + used, length - used, &content);
        if (part < 0)
            return part;
        if (part == 0)
            break;
        *content_bytes += content.length;
        if (chunks == CHUNKS_ON && content.length) {
            char size[20];
            int digits = snprintf(size, sizeof size, "%zx\r\n", content.length);
            good = buffer_put(out, size, (size_t)digits) &&
                   buffer_put(out, content.at, content.length) && buffer_put(out, "\r\n", 2);
        } else if (chunks == CHUNKS_OFF && content.length) {
            good = buffer_put(out, content.at, content.length);
        } else if (chunks == CHUNKS_AS_THEY_ARE && !trailer) {
            good = buffer_put(out, bytes + used, (size_t)part);
        } else if (chunks == CHUNKS_AS_THEY_ARE && body->done) {
            good = buffer_put(out, "\r\n", 2); // the fields in front of it are dropped
        }
        if (!good)
            return -503;
        used += (size_t)part;
    }
    return (ssize_t)used;
}
