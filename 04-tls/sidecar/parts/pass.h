// pass.h: passes content on, and changes how its end is told where the next hop needs that.
#ifndef PASS_H
#define PASS_H

#include "buffer.h"
#include "http.h"

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
