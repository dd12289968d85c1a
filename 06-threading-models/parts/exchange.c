// exchange.c: see exchange.h. Read exchange_take() first.
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_PORT 80

static _Thread_local char text[100]; // what *why points to, where there are numbers in it

// The Host field (RFC 9110 §7.2) has an IPv6 address in brackets, without the name of a network
// interface ("%eth0", RFC 6874 §1), and a port only if it is not the usual one.
char *exchange_request(const char *host, int port, const char *path)
{
    char *request, digits[16] = "";
    const char *open = "", *close = "";
    if (strchr(host, ':')) {
        open = "[";
        close = "]";
    }
    if (port != HTTP_PORT)
        snprintf(digits, sizeof digits, ":%d", port);
    if (asprintf(&request, "GET %s HTTP/1.1\r\nHost: %s%.*s%s%s\r\n\r\n", path, open,
                 (int)strcspn(host, "%"), host, close, digits) < 0)
        return NULL;
    return request;
}

bool exchange_is_path(const char *path)
{
    if (*path != '/')
        return false;
    while (*path > ' ' && *path < 0x7f && *path != '#')
        path++;
    return *path == '\0';
}

size_t exchange_restore(const struct exchange *e, char *buffer)
{
    if (e->kept_length > 0)
        memcpy(buffer, e->kept, e->kept_length);
    return e->kept_length;
}

void exchange_reset(struct exchange *e)
{
    free(e->kept);
    *e = (struct exchange){.kept = NULL};
}

static enum exchange_result keep(struct exchange *e, const char *bytes, size_t length,
                                 const char **why)
{
    if (length > EXCHANGE_KEPT_MAX) {
        *why = "the head of the answer is too long";
        return EXCHANGE_MALFORMED;
    }
    char *kept = NULL;
    if (length > 0)
        kept = malloc(length);
    if (length > 0 && !kept) {
        *why = "there is no memory for the answer";
        return EXCHANGE_MALFORMED;
    }
    if (kept)
        memcpy(kept, bytes, length);
    free(e->kept);
    e->kept = kept;
    e->kept_length = length;
    return EXCHANGE_MORE;
}

static void remember(struct pattern *pattern, const struct http_head *head, const char *bytes)
{
    pattern->whole_length = 0;
    if (head->content_length < 0 || head->chunked || !head->keep_alive || head->status != 200 ||
        head->length > PATTERN_BYTES)
        return;
    memcpy(pattern->head, bytes, head->length);
    pattern->head_length = head->length;
    pattern->whole_length = head->length + (size_t)head->content_length;
}

// Reads a head, and says in *used how long it is. Interim answers (100, 103) are skipped later.
static enum exchange_result take_head(struct exchange *e, const char *bytes, size_t length,
                                      struct pattern *pattern, size_t *used, const char **why)
{
    static struct http_head head;
    int result = http_read_response(bytes, length, &head);
    if (result == 0)
        return keep(e, bytes, length, why);
    if (result == -431)
        *why = "the head of the answer is too long";
    else if (result < 0)
        *why = "the head of the answer is no HTTP/1.1";
    else if (head.status == 101)
        *why = "101, although nothing else than HTTP/1.1 was asked for";
    if (result < 0 || head.status == 101)
        return EXCHANGE_MALFORMED;
    remember(pattern, &head, bytes);
    http_body_of_response(&e->body, &head, false);
    e->status = head.status;
    e->last = !head.keep_alive || e->body.state == BODY_TO_CLOSE;
    e->in_body = head.status >= 200;
    e->content = 0;
    e->content_all = head.content_length;
    *used = head.length;
    return EXCHANGE_ANSWERED;
}

static enum exchange_result is_whole(struct exchange *e, const char **why)
{
    e->in_body = false;
    if (e->status < 200 || e->status > 299) {
        snprintf(text, sizeof text, "the answer has status %d", e->status);
        *why = text;
    }
    return EXCHANGE_ANSWERED;
}

// The server has closed the connection. For some answers this is how they end.
static enum exchange_result take_end(struct exchange *e, const char **why)
{
    if (e->in_body && e->body.state == BODY_TO_CLOSE)
        return is_whole(e, why);
    *why = text;
    if (e->in_body && e->content_all >= 0)
        snprintf(text, sizeof text, "closed after %llu of %lld bytes of the answer",
                 (unsigned long long)e->content, (long long)e->content_all);
    else if (e->in_body)
        snprintf(text, sizeof text, "closed after %llu bytes of the answer, before its end",
                 (unsigned long long)e->content);
    else if (e->kept_length > 0)
        *why = "closed in the head of the answer";
    else
        *why = "closed before the answer";
    return EXCHANGE_CLOSED;
}

enum exchange_result exchange_take(struct exchange *e, const char *bytes, size_t length,
                                   struct pattern *pattern, const char **why)
{
    *why = NULL;
    if (length == e->kept_length)
        return take_end(e, why);
    if (length == pattern->whole_length && !e->in_body &&
        !memcmp(bytes, pattern->head, pattern->head_length)) {
        e->status = 200;
        e->last = false;
        e->kept_length = 0;
        return EXCHANGE_ANSWERED;
    }
    size_t at = 0;
    while (!e->in_body) {
        size_t used = 0;
        enum exchange_result result =
            take_head(e, bytes + at, length - at, pattern, &used, why);
        if (result != EXCHANGE_ANSWERED)
            return result;
        at += used;
    }
    ssize_t part = 1;
    while (!e->body.done && part > 0) {
        struct http_text content;
        part = http_body_take(&e->body, bytes + at, length - at, &content);
        if (part < 0) {
            *why = "the content of the answer comes in chunks, and one of them is malformed";
            return EXCHANGE_MALFORMED;
        }
        at += (size_t)part;
        e->content += content.length;
    }
    if (!e->body.done)
        return keep(e, bytes + at, length - at, why);
    if (at < length) {
        *why = "bytes behind the answer, which were not asked for";
        return EXCHANGE_MALFORMED;
    }
    keep(e, NULL, 0, why); // frees what was kept of the head
    return is_whole(e, why);
}
