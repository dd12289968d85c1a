// blocking.c: see blocking.h. Read serve_blocking(), at the end, first.
#include "blocking.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handler.h"
#include "net.h"

#define OUT_BYTES 8192 // of answers that are collected before they are written

_Static_assert(OUT_BYTES >= ANSWER_ROOM, "an answer fits");

// It lies on the worker's stack: of its 45 KB only the pages that are used take memory.
struct connection {
    int fd;
    struct worker *worker;
    bool open;               // another request may follow
    struct http_server http; // what is known of the request that comes
    bool head_began;         // a part of it had come when the time limit was set
    int64_t head_ns;         // when its first byte came
    size_t in_length, out_length;
    struct answer answer;
    char in[REQUEST_BYTES]; // bytes that are not used yet
    char out[OUT_BYTES];    // answers that are not sent yet
};

// Limits how long the next read (SO_RCVTIMEO) or write (SO_SNDTIMEO) may block.
static void limit(int fd, int option, int64_t ms)
{
    if (ms < 1)
        ms = 1; // 0 would mean: for ever
    struct timeval time = {ms / 1000, ms % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, option, &time, sizeof time);
}

// Sends all answers. Within STALL_MS the client has to take all of them: SO_SNDTIMEO limits the
// whole send(), which ends early only for a signal. So a byte now and then buys no more time.
static void flush(struct connection *c)
{
    int64_t until_ns = now_ns() + STALL_MS * INT64_C(1000000);
    for (size_t sent = 0; sent < c->out_length && c->open;) {
        ssize_t part = send(c->fd, c->out + sent, c->out_length - sent, MSG_NOSIGNAL);
        if (part > 0)
            sent += (size_t)part;
        bool late = sent < c->out_length && now_ns() >= until_ns;
        if (late || (part < 0 && errno != EINTR))
            c->open = false; // the client has gone, or it does not read
    }
    c->out_length = 0;
}

static void put_answer(struct connection *c)
{
    if (OUT_BYTES - c->out_length < ANSWER_ROOM)
        flush(c);
    struct http_out out = {c->out + c->out_length, OUT_BYTES - c->out_length, 0, false};
    if (atomic_load(&c->worker->all->stopping))
        c->http.keep_alive = false;
    answer_put(&c->http, &out, &c->answer);
    c->out_length += out.length;
    if (!c->http.keep_alive) {
        flush(c);
        c->open = false;
    }
}

// Answers all requests that are whole, in one send() unless one of them has to wait.
static void answer_all(struct connection *c)
{
    struct request request;
    size_t used = 0, part;
    while (c->open && used < c->in_length &&
           (part = request_read(&c->http, c->in + used, c->in_length - used, &request)) > 0) {
        used += part;
        handle(&request, c->worker, &c->answer);
        if (c->answer.wait_ms) {
            flush(c);
            sleep_ms(c->answer.wait_ms); // this worker does nothing else meanwhile
        }
        put_answer(c);
    }
    flush(c);
    c->in_length -= used;
    memmove(c->in, c->in + used, c->in_length);
}

// A head has to be there after head_ms, however slowly it comes. Between requests the client
// may be silent for idle_ms. The kernel is told only when that changes.
static void set_time_limit(struct connection *c)
{
    const struct settings *settings = &c->worker->all->settings;
    if (c->http.began) {
        if (!c->head_began)
            c->head_ns = now_ns();
        int64_t passed_ms = (now_ns() - c->head_ns) / 1000000;
        limit(c->fd, SO_RCVTIMEO, settings->head_ms - passed_ms);
    } else if (c->head_began) {
        limit(c->fd, SO_RCVTIMEO, settings->idle_ms);
    }
    c->head_began = c->http.began;
}

// Reads once. False: nothing more comes.
static bool receive(struct connection *c)
{
    ssize_t got;
    do
        got = read(c->fd, c->in + c->in_length, REQUEST_BYTES - c->in_length);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN && c->http.began) {
        struct request late = {.status = 408};
        c->http = (struct http_server){.keep_alive = false};
        handle(&late, c->worker, &c->answer);
        put_answer(c);
    }
    if (got > 0)
        c->in_length += (size_t)got;
    return got > 0;
}

// A close() while the client is still sending would make its kernel throw our last answer away.
// So we close only our half, and read on for a moment (RFC 9112 §9.6).
static void linger(struct connection *c)
{
    int64_t until_ns = now_ns() + LINGER_MS * INT64_C(1000000);
    if (shutdown(c->fd, SHUT_WR))
        return;
    limit(c->fd, SO_RCVTIMEO, LINGER_MS);
    while (now_ns() < until_ns && read(c->fd, c->in, REQUEST_BYTES) > 0)
        ;
}

void serve_blocking(int fd, struct worker *worker)
{
    struct connection c;
    int on = 1;
    c.fd = fd;
    c.worker = worker;
    c.open = true;
    c.http = (struct http_server){.content_max = 0};
    c.head_began = false;
    c.in_length = c.out_length = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // we collect answers ourselves
    limit(fd, SO_RCVTIMEO, worker->all->settings.idle_ms);
    limit(fd, SO_SNDTIMEO, STALL_MS);
    while (c.open && receive(&c)) {
        answer_all(&c);
        set_time_limit(&c);
    }
    if (!c.open)
        linger(&c);
}
