// call.c: see call.h.
#include "call.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "body.h"
#include "http.h"
#include "net.h"

// What a call needs while it lasts. Several threads make calls at once: nothing is shared.
struct exchange {
    int fd;
    int64_t deadline_ns;
    size_t length;
    char bytes[CALL_BYTES]; // the request; then what has come of the answer
};

void service_at(struct service *service, const char *host, int port)
{
    service->length = net_address(host, port, SOCK_STREAM, &service->address);
}

// Waits until the socket is ready for `events`. False: the deadline has passed.
static bool await(const struct exchange *x, short events)
{
    struct pollfd ready = {x->fd, events, 0};
    for (;;) {
        int64_t left_ns = x->deadline_ns - now_ns();
        if (left_ns <= 0)
            return false;
        struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
        if (ppoll(&ready, 1, &left, NULL) > 0)
            return now_ns() < x->deadline_ns;
    }
}

// CALL_ANSWERED: so far all is well.
static enum call_outcome open_connection(struct exchange *x, const struct service *service)
{
    const struct sockaddr *address = (const struct sockaddr *)&service->address;
    int on = 1, error = 0;
    socklen_t size = sizeof error;
    x->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (x->fd < 0)
        return CALL_REFUSED;
    setsockopt(x->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // lesson 09 says why
    if (connect(x->fd, address, service->length) == 0)
        return CALL_ANSWERED;
    if (errno != EINPROGRESS)
        return CALL_REFUSED;
    if (!await(x, POLLOUT))
        return CALL_TIMEOUT;
    if (getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &size) || error)
        return CALL_REFUSED;
    return CALL_ANSWERED;
}

static enum call_outcome send_request(struct exchange *x, const struct call_request *request)
{
    const char *content = request->content ? request->content : "";
    // The key is a structured field, a string: in quotes (RFC 9651 §3.3.3).
    int length = snprintf(
        x->bytes, sizeof x->bytes,
        "%s %s HTTP/1.1\r\nHost: workbench\r\nConnection: close\r\n%s%s%s%sContent-Length: "
        "%zu\r\n\r\n%s",
        request->method, request->target, request->key ? "Idempotency-Key: \"" : "",
        request->key ? request->key : "", request->key ? "\"\r\n" : "",
        request->content ? "Content-Type: application/json\r\n" : "", strlen(content), content);
    if (length < 0 || (size_t)length >= sizeof x->bytes)
        return CALL_GARBLED;
    for (size_t sent = 0; sent < (size_t)length;) {
        ssize_t put = send(x->fd, x->bytes + sent, (size_t)length - sent, MSG_NOSIGNAL);
        if (put > 0)
            sent += (size_t)put;
        else if (errno == EAGAIN && !await(x, POLLOUT))
            return CALL_TIMEOUT;
        else if (errno != EAGAIN && errno != EINTR)
            break; // the server is going; perhaps it has said why
    }
    return CALL_ANSWERED;
}

// Reads once. *ended: nothing more will come.
static enum call_outcome receive(struct exchange *x, bool *ended)
{
    if (x->length == sizeof x->bytes)
        return CALL_GARBLED;
    if (!await(x, POLLIN))
        return CALL_TIMEOUT;
    ssize_t got = recv(x->fd, x->bytes + x->length, sizeof x->bytes - x->length, 0);
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        return CALL_LOST;
    *ended = got == 0;
    x->length += got > 0 ? (size_t)got : 0;
    return CALL_ANSWERED;
}

static enum call_outcome read_head(struct exchange *x, struct http_head *head,
                                   struct call *call)
{
    bool ended = false;
    int result = 0;
    while (result == 0) {
        enum call_outcome outcome = ended ? CALL_LOST : receive(x, &ended);
        if (outcome != CALL_ANSWERED)
            return outcome;
        result = http_read_response(x->bytes, x->length, head);
        while (result > 0 && head->status / 100 == 1) { // 100 Continue: the answer is behind it
            x->length -= head->length;
            memmove(x->bytes, x->bytes + head->length, x->length);
            result = http_read_response(x->bytes, x->length, head);
        }
    }
    if (result < 0)
        return CALL_GARBLED;
    struct http_text after = http_field(head, "retry-after");
    snprintf(call->retry_after, sizeof call->retry_after, "%.*s", (int)after.length, after.at);
    call->replayed = http_is_token(http_field(head, "idempotent-replayed"), "true");
    return CALL_ANSWERED;
}

static enum call_outcome read_content(struct exchange *x, const struct http_head *head,
                                      bool to_head, struct call *call)
{
    struct http_body body;
    struct http_text part;
    size_t at = head->length;
    bool ended = false;
    http_body_of_response(&body, head, to_head);
    while (!body.done) {
        ssize_t used = http_body_take(&body, x->bytes + at, x->length - at, &part);
        if (used < 0 || call->content_length + part.length > CALL_BYTES)
            return CALL_GARBLED;
        memcpy(call->content + call->content_length, part.at, part.length);
        call->content_length += part.length;
        at += (size_t)used;
        if (used || body.done)
            continue;
        enum call_outcome outcome = ended ? CALL_LOST : receive(x, &ended);
        if (ended && body.state == BODY_TO_CLOSE)
            break;
        if (outcome != CALL_ANSWERED)
            return outcome;
    }
    return CALL_ANSWERED;
}

void call_make(const struct service *service, const struct call_request *request,
               struct call *call)
{
    struct http_head head;
    struct exchange x;
    memset(call, 0, offsetof(struct call, content));
    call->began_ns = now_ns();
    x.deadline_ns = call->began_ns + request->timeout_ms * INT64_C(1000000);
    call->outcome = open_connection(&x, service);
    if (call->outcome == CALL_ANSWERED)
        call->outcome = send_request(&x, request);
    x.length = 0;
    if (call->outcome == CALL_ANSWERED)
        call->outcome = read_head(&x, &head, call);
    if (call->outcome == CALL_ANSWERED)
        call->outcome = read_content(&x, &head, !strcmp(request->method, "HEAD"), call);
    if (call->outcome == CALL_ANSWERED)
        call->status = head.status;
    if (x.fd >= 0)
        close(x.fd);
    call->content[call->content_length] = '\0';
    call->ended_ns = now_ns();
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
