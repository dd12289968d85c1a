// forward.c: see forward.h. Read forward_passes() first, then forward_request_head().
#include "forward.h"

#include <stdio.h>

#include "smaller.h"

#define NAME_BYTES 40 // of a field's name: no name in the lists below is longer

// Fields that are about one connection only (RFC 9110 §7.6.1). Host is written separately.
static const char *const of_one_connection[] = {
    "connection", "keep-alive", "proxy-connection", "te",
    "trailer",    "upgrade",    "http2-settings"};

// Fields in which proxies tell servers about the client, and which servers believe.
static const char *const of_proxies[] = {
    "forwarded",       "x-real-ip",        "x-client-ip",      "client-ip",
    "true-client-ip",  "cf-connecting-ip", "fastly-client-ip", "x-cluster-client-ip",
    "x-remote-ip",     "x-remote-addr",    "x-originating-ip", "x-host",
    "x-original-host", "x-original-url",   "x-rewrite-url",    "x-url-scheme",
    "x-scheme",        "front-end-https"};

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Writes a name as CGI programs see it, but with '-': what is no letter and no digit is the
// same to them ("X_Forwarded.For" becomes "x-forwarded-for"). A long name is cut.
static void simplify(struct http_text name, char simple[NAME_BYTES])
{
    size_t length = smaller(name.length, NAME_BYTES - 1);
    for (size_t i = 0; i < length; i++) {
        char c = name.at[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c | 0x20);
        simple[i] = '-';
        if (is_letter_or_digit(c))
            simple[i] = c;
    }
    simple[length] = '\0';
}

static bool is_of_proxies(struct http_text name)
{
    char simple[NAME_BYTES];
    simplify(name, simple);
    if (!strncmp(simple, "x-forwarded", strlen("x-forwarded")))
        return true;
    for (size_t i = 0; i < sizeof of_proxies / sizeof *of_proxies; i++)
        if (!strcmp(simple, of_proxies[i]))
            return true;
    return false;
}

// True if one of the Connection fields names this field: "Connection: close, X-Hint".
static bool is_named_by_connection(const struct http_head *head, struct http_text name)
{
    for (size_t i = 0; i < head->field_count; i++) {
        struct http_text list = head->fields[i].value, item;
        if (!http_is_token(head->fields[i].name, "connection"))
            continue;
        while (http_next_item(&list, &item))
            if (item.length == name.length && !strncasecmp(item.at, name.at, name.length))
                return true;
    }
    return false;
}

static bool is_framing(struct http_text name)
{
    return http_is_token(name, "content-length") || http_is_token(name, "transfer-encoding");
}

bool forward_passes(const struct http_head *head, struct http_text name)
{
    for (size_t i = 0; i < sizeof of_one_connection / sizeof *of_one_connection; i++)
        if (http_is_token(name, of_one_connection[i]))
            return false;
    // Without its length a message's content would be read as the next message: that this field
    // is named by Connection is an attack.
    return is_framing(name) || !is_named_by_connection(head, name);
}

static void put_text(struct http_out *out, struct http_text text)
{
    if (text.length)
        http_put(out, text.at, text.length);
}

static void put_field(struct http_out *out, const struct http_field *field)
{
    put_text(out, field->name);
    http_put(out, ": ", 2);
    put_text(out, field->value);
    http_put(out, "\r\n", 2);
}

// Each proxy on the way adds its name; "1.1" is the version in which the message has come to it
// (RFC 9110 §7.6.3).
static void put_via(struct http_out *out, const struct forward *forward, int minor)
{
    http_put_text(out, "Via: 1.");
    http_put_number(out, (uint64_t)minor, 10);
    http_put_text(out, " ");
    http_put_text(out, forward->by->name);
    http_put(out, "\r\n", 2);
}

static bool has_max_forwards(const struct http_head *head)
{
    return http_is(head->method, "OPTIONS") || http_is(head->method, "TRACE");
}

// How many proxies may still pass the request on (RFC 9110 §7.6.2). False: it is not limited.
static bool read_max_forwards(const struct http_head *head, uint64_t *max_forwards)
{
    return has_max_forwards(head) &&
           http_number(http_field(head, "max-forwards"), 1000000, max_forwards);
}

// ---- requests ------------------------------------------------------------------------------

void forward_request_head(const struct forward *forward, const struct http_head *head,
                          struct http_out *out)
{
    uint64_t max_forwards;
    bool counts = read_max_forwards(head, &max_forwards);
    put_text(out, head->method);
    http_put(out, " ", 1);
    put_text(out, head->target);
    http_put_text(out, " HTTP/1.1\r\n"); // the proxy's own version (RFC 9110 §6.2)
    http_put_text(out, "Host: ");        // a request of 1.1 has one, be it empty
    put_text(out, head->host);
    http_put(out, "\r\n", 2);
    for (const struct http_field *f = head->fields; f < head->fields + head->field_count; f++) {
        bool is_host = http_is_token(f->name, "host");
        bool is_counted = counts && http_is_token(f->name, "max-forwards");
        bool is_expect = !head->minor && http_is_token(f->name, "expect"); // RFC 9110 §10.1.1
        if (!is_host && !is_counted && !is_expect && forward_passes(head, f->name) &&
            !is_of_proxies(f->name))
            put_field(out, f);
    }
    if (counts) {
        http_put_text(out, "Max-Forwards: ");
        http_put_number(out, max_forwards - 1, 10);
        http_put(out, "\r\n", 2);
    }
    if (forward->client)
        http_put_field(out, "X-Forwarded-For", forward->client);
    if (forward->client && forward->by->secure)
        http_put_field(out, "X-Forwarded-Proto", "https");
    else if (forward->client)
        http_put_field(out, "X-Forwarded-Proto", "http");
    put_via(out, forward, head->minor);
    if (!head->keep_alive)
        http_put_field(out, "Connection", "close");
    http_put(out, "\r\n", 2);
}

int forward_refuses(const struct http_head *head)
{
    uint64_t max_forwards;
    if (http_is(head->method, "CONNECT"))
        return 501; // this is the way to one server only
    if (!read_max_forwards(head, &max_forwards) || max_forwards > 0)
        return 0;
    // With Max-Forwards: 0 this proxy answers itself. It does so for OPTIONS, and not for
    // TRACE.
    if (http_is(head->method, "OPTIONS"))
        return 204;
    return 501;
}

ssize_t forward_pass_content(struct http_body *body, const char *bytes, size_t length,
                             bool chunks_off, struct http_out *out, uint64_t *content_bytes)
{
    struct http_text content = {NULL, 0};
    size_t room = out->size - out->length;
    if (room < 2) // for the line that ends the chunks
        return 0;
    bool in_trailer = body->state == BODY_TRAILER;
    ssize_t used = http_body_take(body, bytes, smaller(length, room), &content);
    if (used <= 0)
        return used;
    *content_bytes += content.length;
    if (chunks_off)
        put_text(out, content);
    else if (!in_trailer)
        http_put(out, bytes, (size_t)used);
    else if (body->done)
        http_put(out, "\r\n", 2);
    return used;
}

static size_t forward_content(struct forward *forward, const char *bytes, size_t length,
                              struct http_out *out)
{
    uint64_t content_bytes = 0;
    ssize_t used =
        forward_pass_content(&forward->body, bytes, length, false, out, &content_bytes);
    if (used < 0)
        forward->refused = (int)-used;
    if (used < 0)
        forward->why = forward->body.why;
    forward->in_content = !forward->body.done;
    if (used < 0)
        return 0;
    return (size_t)used;
}

static size_t forward_request(struct forward *forward, const char *bytes, size_t length,
                              struct http_out *out)
{
    struct http_head head;
    if (forward->in_content)
        return forward_content(forward, bytes, length, out);
    if (forward->last || forward->waiting == FORWARD_WAITING ||
        out->size - out->length < FORWARD_HEAD_BYTES)
        return 0;
    int result;
    if (forward->by->secure) // its own scheme in a target is right, the other one is not
        result = http_read_secure_request(bytes, length, &head);
    else
        result = http_read_request(bytes, length, &head);
    if (result < 0)
        forward->refused = -result;
    else if (result > 0)
        forward->refused = forward_refuses(&head);
    if (result < 0)
        forward->why = head.why;
    else if (forward->refused)
        forward->why = "this proxy stands in front of one server, and takes no part in more";
    if (result <= 0 || forward->refused)
        return 0;
    forward_request_head(forward, &head, out);
    forward->requests++;
    forward->asked[forward->waiting].head = http_is(head.method, "HEAD");
    forward->asked[forward->waiting++].old = !head.minor;
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
        part = forward_request(forward, bytes + used, length - used, out);
        used += part;
    }
    return used;
}

// ---- answers -------------------------------------------------------------------------------

void forward_answer_head(const struct forward *forward, const struct http_head *head,
                         bool keep_alive, bool with_chunks, struct http_out *out)
{
    bool old = forward->asked[0].old;
    bool no_content = head->status < 200 || head->status == 204; // RFC 9112 §6.1
    http_put_text(out, "HTTP/1.1 ");
    http_put_number(out, (uint64_t)head->status, 10);
    http_put(out, " ", 1);
    http_put_text(out, http_reason(head->status));
    http_put(out, "\r\n", 2);
    for (const struct http_field *f = head->fields; f < head->fields + head->field_count; f++) {
        bool is_chunks = http_is_token(f->name, "transfer-encoding");
        if (forward_passes(head, f->name) && !(is_chunks && !with_chunks) &&
            !(no_content && is_framing(f->name)))
            put_field(out, f);
    }
    put_via(out, forward, head->minor);
    if (head->status >= 200 && !keep_alive)
        http_put_field(out, "Connection", "close");
    else if (head->status >= 200 && old)
        http_put_field(out, "Connection", "keep-alive");
    http_put(out, "\r\n", 2);
}

// The oldest request has its answer.
static void end_answer(struct forward *forward)
{
    forward->in_answer = false;
    forward->waiting--;
    memmove(forward->asked, forward->asked + 1, forward->waiting * sizeof *forward->asked);
}

static size_t forward_answer_content(struct forward *forward, const char *bytes, size_t length,
                                     struct http_out *out)
{
    ssize_t used = forward_pass_content(&forward->answer_body, bytes, length, forward->plain,
                                        out, &forward->answer_bytes);
    forward->bad_answer = used < 0;
    if (forward->answer_body.done)
        end_answer(forward);
    if (used < 0)
        return 0;
    return (size_t)used;
}

static size_t forward_answer(struct forward *forward, const char *bytes, size_t length,
                             struct http_out *out)
{
    struct http_head head;
    if (forward->in_answer)
        return forward_answer_content(forward, bytes, length, out);
    if (forward->answers_end || out->size - out->length < FORWARD_HEAD_BYTES)
        return 0;
    int result = -1; // an answer needs a request
    if (forward->waiting)
        result = http_read_response(bytes, length, &head);
    // This proxy asks no server to change the protocol, so a 101 is wrong.
    forward->bad_answer = result < 0 || (result > 0 && head.status == 101);
    if (result <= 0 || forward->bad_answer)
        return 0;
    bool old = forward->asked[0].old;
    if (head.status < 200) {
        if (!old) // HTTP/1.0 has no such answers
            forward_answer_head(forward, &head, true, false, out);
        return head.length;
    }
    http_body_of_response(&forward->answer_body, &head, forward->asked[0].head);
    bool to_close = !forward->answer_body.done && forward->answer_body.state == BODY_TO_CLOSE;
    forward->plain = old && head.chunked;
    forward->answers_end = !head.keep_alive || to_close || forward->plain ||
                           (forward->last && forward->waiting == 1);
    forward->status = head.status;
    forward->answer_bytes = 0;
    forward->in_answer = true;
    forward_answer_head(forward, &head, !forward->answers_end, !old, out);
    if (forward->answer_body.done)
        end_answer(forward);
    return head.length;
}

size_t forward_answers(struct forward *forward, const char *bytes, size_t length,
                       struct http_out *out)
{
    size_t used = 0, part = 1;
    while (part && used < length && !forward->bad_answer) {
        part = forward_answer(forward, bytes + used, length - used, out);
        used += part;
    }
    return used;
}

bool forward_is_complete(const struct forward *forward)
{
    if (forward->in_answer)
        return forward->answer_body.state == BODY_TO_CLOSE && !forward->bad_answer;
    return forward->waiting == 0;
}

void forward_refusal(int status, const char *why, struct http_out *out)
{
    const char *reason = http_reason(status), *colon = ": ";
    if (!why)
        why = colon = "";
    http_put_text(out, "HTTP/1.1 ");
    http_put_number(out, (uint64_t)status, 10);
    http_put_text(out, " ");
    http_put_text(out, reason);
    http_put_text(out, "\r\nConnection: close\r\n");
    if (status == 204) { // to OPTIONS: this proxy itself has nothing to offer
        http_put_text(out, "\r\n");
        return;
    }
    http_put_text(out, "Content-Type: text/plain\r\n");
    http_put_length(out, strlen(reason) + strlen(colon) + strlen(why) + 1);
    http_put_text(out, "\r\n");
    http_put_text(out, reason);
    http_put_text(out, colon);
    http_put_text(out, why);
    http_put_text(out, "\n");
}
