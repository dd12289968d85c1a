// request_content.h: the content of one request, collected as it comes, up to a limit.
#ifndef REQUEST_CONTENT_H
#define REQUEST_CONTENT_H

#include "http.h"

#define CONTENT_MAX 4096 // bytes

struct request_content {
    struct http_body body; // body.done: all of it is here
    char *bytes;           // NULL: none has come
    size_t length;         // how many have come
};

// A request with this head begins. Returns 0, or the status that it is refused with; *why then
// says why.
int request_content_begin(struct request_content *content, const struct http_head *head,
                          const char **why);

// Takes content that has come; returns how many bytes. Below 0: minus the status that the
// request is refused with, and *why.
ssize_t request_content_take(struct request_content *content, const char *bytes, size_t length,
                             const char **why);

// The request is answered, or its connection gone.
void request_content_end(struct request_content *content);

#endif
