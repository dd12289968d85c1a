// request_content.c: see request_content.h.
#include "request_content.h"

#include <stdlib.h>
#include <string.h>

#define TOO_LONG "a request's content may have at most 4096 bytes"

int request_content_begin(struct request_content *content, const struct http_head *head,
                          const char **why)
{
    content->length = 0;
    http_body_of_request(&content->body, head);
    *why = TOO_LONG;
    if (head->content_length > CONTENT_MAX)
        return 413;
    return 0;
}

ssize_t request_content_take(struct request_content *content, const char *bytes, size_t length,
                             const char **why)
{
    struct http_text part;
    ssize_t used = http_body_take(&content->body, bytes, length, &part);
    if (used < 0) {
        *why = content->body.why;
        return used;
    }
    if (part.length == 0)
        return used;
    if (!content->bytes)
        content->bytes = malloc(CONTENT_MAX);
    if (!content->bytes) {
        *why = "no memory for the content";
        return -503;
    }
    if (part.length > CONTENT_MAX - content->length) {
        *why = TOO_LONG;
        return -413;
    }
    memcpy(content->bytes + content->length, part.at, part.length);
    content->length += part.length;
    return used;
}

void request_content_end(struct request_content *content)
{
    free(content->bytes);
    content->bytes = NULL;
}
