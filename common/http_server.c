// http_server.c: see http_server.h. Read http_server_take() first: a request that has come as a
// whole stays where it is, and nothing is copied.
#include "http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Chunks of one byte each take five bytes of framing; extensions and trailers have room beside
// them.
#define FRAMING_PER_BYTE 5
#define FRAMING_MIN      16384
#define KEPT_MIN         4096 // bytes of the first allocation for a request that comes in parts
#define TOO_LONG         "the content is longer than is taken here"

// ---- requests ------------------------------------------------------------------------------

static size_t refuse(struct http_server *http, struct http_request *request, int status,
                     const char *why, size_t length)
{
    http->why = why;
    http->began = http->in_content = http->keep_alive = false;
    request->status = status;
    return length;
}

static void complete(struct http_server *http, struct http_request *request,
                     struct http_text content)
{
    http->began = http->in_content = false;
    request->content = content;
    http_split_target(request->head.target, &request->path, &request->query);
    request->status = HTTP_WHOLE;
}

// Adds bytes to what is kept. False: there is no memory.
static bool keep(struct http_server *http, const char *bytes, size_t length)
{
    size_t needed = http->kept_length + length, size = http->kept_size;
    if (needed > size) {
        if (size == 0)
            size = KEPT_MIN;
        while (size < needed)
            size *= 2;
        char *larger = realloc(http->kept, size);
        if (!larger)
            return false;
        http->kept = larger;
        http->kept_size = size;
    }
    memcpy(http->kept + http->kept_length, bytes, length);
    http->kept_length = needed;
    return true;
}

// The request's head is whole, its content is not, or comes in chunks.
static size_t begin_content(struct http_server *http, const char *bytes, size_t length,
                            struct http_request *request, struct http_out *out)
{
    size_t used = request->head.length;
    if (!keep(http, bytes, used))
        return refuse(http, request, 503, "no memory is left", length);
    http->head_length = used;
    http->in_content = true;
    http->framing_bytes = 0;
    if (request->head.expects_continue && used == length)
        http_put_text(out, "HTTP/1.1 100 Continue\r\n\r\n");
    return used;
}

static size_t take_content(struct http_server *http, const char *bytes, size_t length,
                           struct http_request *request)
{
    size_t used = 0;
    while (!http->body.done && used < length) {
        struct http_text piece;
        ssize_t part = http_body_take(&http->body, bytes + used, length - used, &piece);
        if (part < 0)
            return refuse(http, request, (int)-part, http->body.why, length);
        if (part == 0)
            return used;
        if (http->kept_length - http->head_length + piece.length > http->content_max)
            return refuse(http, request, 413, TOO_LONG, length);
        if (!keep(http, piece.at, piece.length))
            return refuse(http, request, 503, "no memory is left", length);
        http->framing_bytes += (size_t)part - piece.length;
        if (http->framing_bytes > FRAMING_PER_BYTE * http->content_max + FRAMING_MIN)
            return refuse(http, request, 413, "its chunks are mostly framing", length);
        used += (size_t)part;
    }
    if (http->body.done) {
        const char *content = http->kept + http->head_length;
        http_read_request(http->kept, http->head_length, &request->head); // where it is now
        complete(http, request,
                 (struct http_text){content, http->kept_length - http->head_length});
    }
    return used;
}

// True if the bytes are more than the empty lines that may stand before a request.
static bool is_part_of_request(const char *bytes, size_t length)
{
    while (length > 0 && (*bytes == '\r' || *bytes == '\n')) {
        bytes++;
        length--;
    }
    return length > 0;
}

static size_t take_head(struct http_server *http, const char *bytes, size_t length,
                        struct http_request *request, struct http_out *out)
{
    struct http_head *head = &request->head;
    int status = http_read_request(bytes, length, head);
    // Also a HEAD that is refused, or never becomes whole, is answered without content.
    http->head_only = length >= 5 && !memcmp(bytes, "HEAD ", 5);
    if (status == 0) {
        http->began = is_part_of_request(bytes, length);
        return 0;
    }
    http->began = true;
    http->http10 = false;
    http->why = NULL;
    if (status < 0)
        return refuse(http, request, -status, head->why, length);
    bool has_content = head->chunked || head->content_length > 0;
    http->keep_alive = head->keep_alive && !http->stopping;
    http->head_only = http_is(head->method, "HEAD");
    http->http10 = head->minor == 0;
    status = 0;
    if (http->check)
        status = http->check(http->context, head);
    if (!status && has_content &&
        (http->content_max == 0 || head->content_length > (int64_t)http->content_max)) {
        status = 413;
        http->why = TOO_LONG;
    }
    if (status && has_content) // its content is not read: nothing can follow
        return refuse(http, request, status, http->why, length);
    if (status) {
        http->began = false;
        request->status = status;
        return head->length;
    }
    http_body_of_request(&http->body, head);
    size_t here = length - head->length;
    if (head->chunked || http->body.left > here)
        return begin_content(http, bytes, length, request, out);
    complete(http, request, (struct http_text){bytes + head->length, (size_t)http->body.left});
    return head->length + request->content.length;
}

size_t http_server_take(struct http_server *http, const char *bytes, size_t length,
                        struct http_request *request, struct http_out *out)
{
    size_t used = 0;
    request->status = HTTP_MORE;
    if (!http->in_content)
        used = take_head(http, bytes, length, request, out);
    if (http->in_content)
        used += take_content(http, bytes + used, length - used, request);
    return used;
}

void http_server_done(struct http_server *http)
{
    http->in_content = false;
    free(http->kept);
    http->kept = NULL;
    http->kept_length = http->kept_size = 0;
}

// ---- answers -------------------------------------------------------------------------------

void http_server_head(const struct http_server *http, struct http_out *out, int status,
                      int64_t content_length)
{
    http_put_status(out, status);
    if (content_length >= 0 && status >= 200 && status != 204 && status != 304)
        http_put_length(out, (uint64_t)content_length);
    if (!http->keep_alive)
        http_put_field(out, "Connection", "close");
    else if (http->http10) // its clients close after an answer, unless they are told
        http_put_field(out, "Connection", "keep-alive");
}

void http_server_answer(const struct http_server *http, struct http_out *out, int status,
                        const char *type, const char *fields, struct http_text content)
{
    http_server_head(http, out, status, (int64_t)content.length);
    if (type)
        http_put_field(out, "Content-Type", type);
    http_put_text(out, fields);
    http_put_text(out, "\r\n");
    if (!http->head_only && status != 204 && status != 304)
        http_put(out, content.at, content.length);
}

void http_server_refuse(const struct http_server *http, struct http_out *out, int status,
                        const char *fields, const char *why)
{
    char text[300];
    if (!why)
        why = http->why;
    int length = snprintf(text, sizeof text, "%d %s%s%s\n", status, http_reason(status),
                          why ? ": " : "", why ? why : "");
    if (length >= (int)sizeof text)
        length = sizeof text - 1;
    http_server_answer(http, out, status, "text/plain; charset=utf-8", fields,
                       (struct http_text){text, (size_t)length});
}
