// forward.c: see forward.h. Read forward_head() first.
#include "forward.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

// Fields that speak of one connection only, not of the way behind it (RFC 9110 §7.6.1), and
// those in which proxies say whom they speak for: from outside they are just claims of a
// stranger.
static const char *const not_forwarded[] = {"connection",
                                            "keep-alive",
                                            "proxy-connection",
                                            "te",
                                            "upgrade",
                                            "forwarded",
                                            "host",
                                            "x-forwarded-for",
                                            "x-forwarded-host",
                                            "x-forwarded-proto",
                                            "x-real-ip"};

// True if the Connection field names this one, too: "Connection: close, X-Hint".
static bool is_named(struct http_text list, struct http_text name)
{
    for (size_t at = 0; list.length && at + name.length <= list.length; at++) {
        bool begins = !at || strchr(", \t", list.at[at - 1]);
        bool ends =
            at + name.length == list.length || strchr(", \t", list.at[at + name.length]);
        if (begins && ends && !strncasecmp(list.at + at, name.at, name.length))
            return true;
    }
    return false;
}

static bool passes(const struct http_head *head, const struct http_field *field)
{
    bool framing = http_is_token(field->name, "content-length") ||
                   http_is_token(field->name, "transfer-encoding");
    for (size_t i = 0; i < sizeof not_forwarded / sizeof *not_forwarded; i++)
        if (http_is_token(field->name, not_forwarded[i]))
            return false;
    // Without its length a request's content would be read as the next request.
    return framing || !is_named(http_field(head, "connection"), field->name);
}

static void put_field(struct http_out *out, const char *name, struct http_text value)
{
    http_put_text(out, name);
    http_put(out, ": ", 2);
    http_put(out, value.at, value.length);
    http_put(out, "\r\n", 2);
}

static void forward_head(const struct forward *forward, const struct http_head *head,
                         struct http_out *out)
{
    http_put(out, head->method.at, head->method.length);
    http_put(out, " ", 1);
    http_put(out, head->target.at, head->target.length);
    http_put_text(out, head->minor ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
    if (head->host.at)
        put_field(out, "Host", head->host);
    for (const struct http_field *f = head->fields; f < head->fields + head->field_count; f++) {
        if (!passes(head, f))
            continue;
        http_put(out, f->name.at, f->name.length);
        http_put(out, ": ", 2);
        http_put(out, f->value.at, f->value.length);
        http_put(out, "\r\n", 2);
    }
    http_put_field(out, "X-Forwarded-For", forward->client);
    http_put_field(out, "X-Forwarded-Proto", "https");
    if (!head->keep_alive)
        http_put_field(out, "Connection", "close");
    else if (!head->minor)
        http_put_field(out, "Connection", "keep-alive");
    http_put_text(out, "\r\n");
}

// Returns how many bytes of a request's content it has passed on, as they are.
static size_t forward_content(struct forward *forward, const char *bytes, size_t length,
                              struct http_out *out)
{
    struct http_text content;
    size_t room = out->size - out->length;
    ssize_t used =
        http_body_take(&forward->body, bytes, length < room ? length : room, &content);
    if (used < 0) {
        forward->refused = (int)-used;
        return 0;
    }
    http_put(out, bytes, (size_t)used);
    forward->in_content = !forward->body.done;
    return (size_t)used;
}

static size_t forward_one(struct forward *forward, const char *bytes, size_t length,
                          struct http_out *out)
{
    struct http_head head;
    if (forward->in_content)
        return forward_content(forward, bytes, length, out);
    if (forward->last || out->size - out->length < FORWARD_HEAD_BYTES)
        return 0;
    int result = http_read_request(bytes, length, &head);
    if (result < 0)
        forward->refused = -result;
    else if (result > 0 && http_is(head.method, "CONNECT"))
        forward->refused = 501; // this proxy stands before one server only
    if (result <= 0 || forward->refused)
        return 0;
    forward_head(forward, &head, out);
    forward->requests++;
    snprintf(forward->line, sizeof forward->line, "%.*s %.*s", (int)head.method.length,
             head.method.at, (int)head.target.length, head.target.at);
    http_body_of_request(&forward->body, &head);
    forward->in_content = !forward->body.done;
    forward->last = !head.keep_alive;
    return head.length;
}

size_t forward_requests(struct forward *forward, const char *bytes, size_t length,
                        struct http_out *out)
{
    size_t used = 0, part = 1;
    while (part && used < length && !forward->refused) {
        part = forward_one(forward, bytes + used, length - used, out);
        used += part;
    }
    return used;
}

void forward_refusal(int status, struct http_out *out)
{
    const char *reason = status == 502   ? "Bad Gateway"
                         : status == 504 ? "Gateway Timeout"
                                         : http_reason(status);
    http_put_text(out, "HTTP/1.1 ");
    http_put_number(out, (uint64_t)status, 10);
    http_put_text(out, " ");
    http_put_text(out, reason);
    http_put_text(out, "\r\nContent-Type: text/plain\r\nConnection: close\r\n");
    http_put_length(out, strlen(reason) + 1);
    http_put_text(out, "\r\n");
    http_put_text(out, reason);
    http_put_text(out, "\n");
}
