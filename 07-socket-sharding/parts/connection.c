// connection.c: see connection.h. Read connection_step() first.
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"
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

// Sends a whole response with one call. The socket is new and its buffer empty: if the answer
// finds no room, the client has gone, and the error has no reader.
static void respond(const struct connection *s, int status, const char *text, size_t length,
                    bool to_head)
{
    char bytes[ANSWER_BYTES];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    http_put_status(&out, status);
    if (status == 405)
        http_put_field(&out, "Allow", "GET, HEAD");
    http_put_text(&out, "Content-Type: text/plain\r\nConnection: close\r\n");
    http_put_length(&out, length);
    http_put_text(&out, "\r\n");
    if (!to_head)
        http_put(&out, text, length);
    if (!out.overflow && send(s->fd, out.bytes, out.length, MSG_NOSIGNAL) < 0)
        return;
}

static void refuse(const struct connection *s, int status, bool to_head)
{
    char text[80];
    int length = snprintf(text, sizeof text, "%s\n", http_reason(status));
    respond(s, status, text, (size_t)length, to_head);
}

// "/busy?ms=N": N, or -1 if this is something else.
static int busy_ms(struct http_text target)
{
    static const char path[] = "/busy?ms=";
    const size_t before = sizeof path - 1;
    uint64_t wanted;
    if (target.length <= before || memcmp(target.at, path, before))
        return -1;
    struct http_text digits = {target.at + before, target.length - before};
    return http_number(digits, BUSY_MS, &wanted) ? (int)wanted : -1;
}

// Occupies the worker, whole, as a long computation would; it does not even look at its
// listening socket meanwhile. Ends early when the worker is asked to stop.
static void be_busy(const struct host *host, int wanted_ms)
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
    bool to_head = http_is(head->method, "HEAD"), stats = http_is(head->target, "/stats");
    int wanted_ms = busy_ms(head->target);
    if (!to_head && !http_is(head->method, "GET")) {
        refuse(s, 405, false);
        return;
    }
    if (!stats && !http_is(head->target, "/") && wanted_ms < 0) {
        refuse(s, 404, to_head);
        return;
    }
    if (wanted_ms > 0)
        be_busy(host, wanted_ms);
    // Before it is sent: a client that has its answer finds it counted.
    stats_count(&host->stats->line[host->worker - 1].answered);
    size_t length = stats ? stats_text(host->stats, text, sizeof text)
                          : (size_t)snprintf(text, sizeof text, "worker %d pid %d tid %d\n",
                                             host->worker, host->pid, host->tid);
    respond(s, 200, text, length, to_head);
}

// Closes our half and reads on. To close() while bytes of the client lie unread would make our
// kernel send a reset, and that may overtake the answer (RFC 9112 §9.6).
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
        return false; // also after half a request: its client waits for no answer
    if (s->lingering)
        return true;
    s->length += (size_t)got;
    int result = http_read_request(s->head, s->length, &head);
    if (result == 0 && s->length == REQUEST_BYTES)
        result = -431;
    if (result == 0)
        return true;
    if (result < 0)
        refuse(s, -result, false);
    else
        answer(s, &head, host);
    // A body, or another request, or what was no request at all: more is coming, or has come.
    bool more =
        result < 0 || head.length < s->length || head.content_length > 0 || head.chunked;
    return more && linger(s);
}

void connection_expire(struct connection *s)
{
    if (s->length && !s->lingering)
        refuse(s, 408, false);
}
