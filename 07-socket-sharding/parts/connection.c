// connection.c: see connection.h. Read connection_step() first.
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"
#include "log.h"
#include "net.h"

#define ANSWER_BYTES (500 + STATS_BYTES)

static int64_t ms(int64_t milliseconds)
{
    return milliseconds * 1000000;
}

void connection_begin(struct connection *s, int fd, int64_t due_ns)
{
    s->due_ns = due_ns;
    s->fd = fd;
    s->watched = s->lingering = false;
    s->length = 0;
}

// Sends a whole response with one call, and logs it. `head` is the request's; NULL: no whole
// head has come. The socket is new and its buffer empty, so there is always room for the
// answer. An error of send() only says that the client has gone.
static void respond(const struct connection *s, const struct host *host,
                    const struct http_head *head, int status, const char *text, size_t length)
{
    char bytes[ANSWER_BYTES];
    bool to_head = head && http_is(head->method, "HEAD");
    struct http_out out = {bytes, sizeof bytes, 0, false};
    http_put_status(&out, status);
    if (status == 405)
        http_put_field(&out, "Allow", "GET, HEAD");
    http_put_text(&out, "Content-Type: text/plain\r\nConnection: close\r\n");
    http_put_length(&out, length);
    http_put_text(&out, "\r\n");
    if (to_head)
        length = 0;
    http_put(&out, text, length);
    if (out.overflow || send(s->fd, out.bytes, out.length, MSG_NOSIGNAL) < 0)
        return;
    if (head)
        log_line("worker %d, %.*s %.*s: %d, %zu bytes", host->worker, (int)head->method.length,
                 head->method.at, (int)head->target.length, head->target.at, status, length);
    else
        log_line("worker %d, refused: %d, %zu bytes", host->worker, status, length);
}

static void refuse(const struct connection *s, const struct host *host,
                   const struct http_head *head, int status)
{
    char text[80];
    int length = snprintf(text, sizeof text, "%s\n", http_reason(status));
    respond(s, host, head, status, text, (size_t)length);
}

// Returns N of "/busy?ms=N"; -1: the target is another one.
static int busy_ms(struct http_text target)
{
    static const char path[] = "/busy?ms=";
    const size_t before = sizeof path - 1;
    uint64_t wanted;
    if (target.length <= before || memcmp(target.at, path, before))
        return -1;
    struct http_text digits = {target.at + before, target.length - before};
    if (!http_number(digits, BUSY_MS, &wanted))
        return -1;
    return (int)wanted;
}

// Occupies the worker as a long computation would: meanwhile the worker does not look at its
// listening socket. Ends early when the worker is asked to stop.
static void occupy_worker(const struct host *host, int wanted_ms)
{
    struct pollfd stop = {host->stop_fd, POLLIN, 0};
    int64_t until_ns = now_ns() + ms(wanted_ms);
    for (int64_t left; (left = until_ns - now_ns()) > 0;)
        if (poll(&stop, 1, (int)(left / 1000000) + 1) >= 0)
            return;
}

static void answer(const struct connection *s, const struct http_head *head,
                   const struct host *host)
{
    char text[STATS_BYTES];
    size_t length;
    bool stats = http_is(head->target, "/stats");
    int wanted_ms = busy_ms(head->target);
    if (!http_is(head->method, "HEAD") && !http_is(head->method, "GET")) {
        refuse(s, host, head, 405);
        return;
    }
    if (!stats && !http_is(head->target, "/") && wanted_ms < 0) {
        refuse(s, host, head, 404);
        return;
    }
    if (wanted_ms > 0)
        occupy_worker(host, wanted_ms);
    // The request is counted before its answer is sent: a client that has the answer and asks
    // for /stats finds it counted.
    stats_count(&host->stats->line[host->worker - 1].answered);
    if (stats)
        length = stats_text(host->stats, text, sizeof text);
    else
        length = (size_t)snprintf(text, sizeof text, "worker %d pid %d tid %d\n", host->worker,
                                  host->pid, host->tid);
    respond(s, host, head, 200, text, length);
}

// Closes the server's half of the connection, and reads on. If the server called close() while
// bytes of the client are unread, its kernel would send a reset, and the client might lose the
// answer (RFC 9112 §9.6).
static bool linger(struct connection *s)
{
    s->lingering = true;
    s->due_ns = now_ns() + ms(LINGER_MS);
    return shutdown(s->fd, SHUT_WR) == 0;
}

bool connection_step(struct connection *s, const struct host *host)
{
    struct http_head head;
    if (s->lingering)
        s->length = 0;
    ssize_t got = read(s->fd, s->head + s->length, REQUEST_BYTES - s->length);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0)
        return false; // the client has closed; after half a request it waits for no answer
    if (s->lingering)
        return true;
    s->length += (size_t)got;
    int result = http_read_request(s->head, s->length, &head);
    if (result == 0 && s->length == REQUEST_BYTES)
        result = -431;
    if (result == 0)
        return true;
    if (result < 0)
        refuse(s, host, NULL, -result);
    else
        answer(s, &head, host);
    // More bytes have come, or will come: a body, another request, or the rest of what was no
    // request.
    bool more =
        result < 0 || head.length < s->length || head.content_length > 0 || head.chunked;
    return more && linger(s);
}

void connection_expire(struct connection *s, const struct host *host)
{
    if (s->length && !s->lingering)
        refuse(s, host, NULL, 408);
}
