// call.c: see call.h.
#include "call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fetch.h"
#include "net.h"
#include "text.h"

void service_at(struct service *service, const char *host, int port)
{
    net_address(host, port, SOCK_STREAM, &service->address);
    if (strchr(host, ':')) // an IPv6 address stands in brackets: RFC 3986 §3.2.2
        snprintf(service->host, sizeof service->host, "[%s]:%d", host, port);
    else
        snprintf(service->host, sizeof service->host, "%s:%d", host, port);
}

bool call_key_is_good(const char *key)
{
    size_t length = 0;
    for (; key[length]; length++)
        if (key[length] < ' ' || key[length] > '~' || length == CALL_KEY_BYTES)
            return false;
    return length > 0;
}

// Writes the field with the key: a string in quotation marks, in which '"' and '\\' have a '\\'
// before them (RFC 9651 §4.1.6).
static void write_key(const char *key, char field[2 * CALL_KEY_BYTES + 30])
{
    char *to = stpcpy(field, "Idempotency-Key: \"");
    for (; *key; key++) {
        if (*key == '"' || *key == '\\')
            *to++ = '\\';
        *to++ = *key;
    }
    strcpy(to, "\"\r\n");
}

static enum fetch_result send_request(struct fetch *f, const struct service *service,
                                      const struct call_request *request)
{
    const char *content = "", *type = "";
    char key[2 * CALL_KEY_BYTES + 30] = "";
    if (request->content) {
        content = request->content;
        type = "Content-Type: application/json\r\n";
    }
    if (request->key)
        write_key(request->key, key);
    return fetch_send(f,
                      "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s%s"
                      "Content-Length: %zu\r\n\r\n%s",
                      request->method, request->target, service->host, key, type,
                      strlen(content), content);
}

// What a result says about the server: can it have seen the request?
static enum call_outcome outcome_of(enum fetch_result result)
{
    switch (result) {
    case FETCH_OK:
        return CALL_ANSWERED;
    case FETCH_REFUSED:
        if (errno == ETIMEDOUT) // set by fetch_open()
            return CALL_TIMEOUT;
        return CALL_REFUSED;
    case FETCH_TIMEOUT:
        return CALL_TIMEOUT;
    case FETCH_MALFORMED:
    case FETCH_TOO_LONG:
        return CALL_GARBLED;
    case FETCH_CLOSED:
    case FETCH_CUT:
    case FETCH_RESET:
    case FETCH_MORE: // fetch_answer() does not return it
        break;
    }
    return CALL_LOST;
}

// Says why there is no answer, and how much of one had come.
static void explain(struct call *call, const struct fetch *f, enum fetch_result result)
{
    if (result == FETCH_CLOSED || (result == FETCH_TIMEOUT && !f->down))
        return; // call_text() says all
    if (result == FETCH_REFUSED)
        snprintf(call->why, sizeof call->why, "%s", strerror(errno));
    else
        fetch_why(f, result, call->why);
    make_printable(call->why);
}

static void keep_head(struct call *call, const struct http_head *head)
{
    struct http_text after = http_field(head, "retry-after");
    call->status = head->status;
    call->replayed = http_is_token(http_field(head, "idempotent-replayed"), "true");
    snprintf(call->retry_after, sizeof call->retry_after, "%.*s", (int)after.length, after.at);
}

void call_make(const struct service *service, const struct call_request *request,
               struct call *call)
{
    struct fetch f; // on the stack: several threads make calls at once
    memset(call, 0, offsetof(struct call, content));
    call->began_ns = now_ns();
    int64_t deadline_ns = call->began_ns + request->timeout_ms * INT64_C(1000000);
    enum fetch_result result = fetch_open(&f, &service->address, deadline_ns);
    if (result == FETCH_OK)
        result = send_request(&f, service, request);
    f.head_only = !strcmp(request->method, "HEAD");
    if (result == FETCH_OK || result == FETCH_RESET) // an answer may have come before a reset
        result = fetch_answer(&f);
    call->outcome = outcome_of(result);
    if (call->outcome != CALL_ANSWERED)
        explain(call, &f, result);
    call->ended_ns = now_ns();
    if (call->outcome == CALL_ANSWERED && call->ended_ns >= deadline_ns)
        call->outcome = CALL_TIMEOUT;
    if (call->outcome == CALL_ANSWERED)
        keep_head(call, &f.head);
    call->content_length = f.content.length;
    if (f.content.length)
        memcpy(call->content, f.content.at, f.content.length);
    call->content[call->content_length] = '\0';
    fetch_close(&f);
}

const char *call_text(const struct call *call, char text[CALL_FIELD_BYTES])
{
    static const char *const names[] = {NULL, "no connection", "connection lost: no answer",
                                        "timed out: no answer", "not an answer"};
    if (call->outcome != CALL_ANSWERED)
        return names[call->outcome];
    snprintf(text, CALL_FIELD_BYTES, "%d %s%s", call->status, http_reason(call->status),
             call->replayed ? ", replayed" : "");
    return text;
}

const char *call_describe(const struct call *call, char text[CALL_TEXT_BYTES])
{
    char outcome[CALL_FIELD_BYTES];
    snprintf(text, CALL_TEXT_BYTES, "%s%s%s", call_text(call, outcome), *call->why ? ": " : "",
             call->why);
    return text;
}

char *call_member(const struct call *call, const char *name, char *text, size_t size)
{
    char quoted[CALL_FIELD_BYTES];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *at = strstr(call->content, quoted);
    text[0] = '\0';
    if (!at)
        return text;
    at += strlen(quoted);
    at += strspn(at, " ");
    bool is_text = *at == '"';
    at += is_text;
    snprintf(text, size, "%.*s", (int)strcspn(at, is_text ? "\"" : ",}] \r\n"), at);
    return text;
}
