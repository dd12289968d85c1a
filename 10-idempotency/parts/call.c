// call.c: see call.h.
#include "call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fetch.h"
#include "net.h"

void service_at(struct service *service, const char *host, int port)
{
    net_address(host, port, SOCK_STREAM, &service->address);
}

static enum fetch_result send_request(struct fetch *f, const struct call_request *request)
{
    const char *content = request->content ?: "";
    // The key is a structured field, a string: in quotes (RFC 9651 §3.3.3).
    return fetch_send(
        f,
        "%s %s HTTP/1.1\r\n" FETCH_HOST
        "Connection: close\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s",
        request->method, request->target, request->key ? "Idempotency-Key: \"" : "",
        request->key ?: "", request->key ? "\"\r\n" : "",
        request->content ? "Content-Type: application/json\r\n" : "", strlen(content), content);
}

// What a result says about the server: can it have seen the request?
static enum call_outcome outcome_of(enum fetch_result result)
{
    switch (result) {
    case FETCH_OK:
        return CALL_ANSWERED;
    case FETCH_REFUSED:
        return errno == ETIMEDOUT ? CALL_TIMEOUT : CALL_REFUSED; // of fetch_open()
    case FETCH_TIMEOUT:
        return CALL_TIMEOUT;
    case FETCH_MALFORMED:
    case FETCH_TOO_LONG:
        return CALL_GARBLED;
    case FETCH_CLOSED:
    case FETCH_CUT:
    case FETCH_RESET:
    case FETCH_MORE: // not of fetch_answer()
        break;
    }
    return CALL_LOST;
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
        result = send_request(&f, request);
    f.head_only = !strcmp(request->method, "HEAD");
    if (result == FETCH_OK || result == FETCH_RESET) // is it going? Perhaps it has said why
        result = fetch_answer(&f);
    call->outcome = outcome_of(result);
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
