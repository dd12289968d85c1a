// conversation.c: see conversation.h. Read converse() first.
#include "conversation.h"

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

// All of it lies on the worker's stack: of 50 KB, only the pages that are used are ever there.
struct conversation {
    int fd;
    struct worker *worker;
    bool open;       // another request may follow
    bool head_began; // some of a head is here, since:
    int64_t head_ns;
    unsigned in_length, out_length;
    struct answer answer;
    char in[REQUEST_BYTES], out[OUT_BYTES];
};

// How long a read() or a write() may block.
static void set_patience(int fd, int option, int64_t ms)
{
    struct timeval time = {ms / 1000, ms % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, option, &time, sizeof time);
}

static void flush(struct conversation *c)
{
    if (c->out_length && !write_all(c->fd, c->out, c->out_length))
        c->open = false; // gone, or it takes nothing
    c->out_length = 0;
}

static void put(struct conversation *c, const struct request *request)
{
    if (OUT_BYTES - c->out_length < ANSWER_ROOM)
        flush(c);
    bool stopping = atomic_load_explicit(&c->worker->crew->stopping, memory_order_relaxed);
    struct http_out out = {c->out + c->out_length, OUT_BYTES - c->out_length, 0, false};
    c->open = c->open && request->keep_alive && !stopping;
    answer_put(&out, &c->answer, request, c->open);
    c->out_length += out.length;
}

// Answers all requests that are whole, in one write unless one of them has to wait.
static void answer_all(struct conversation *c)
{
    struct request request;
    size_t used = 0, part;
    while (c->open && used < c->in_length &&
           (part = request_read(c->in + used, c->in_length - used, &request)) > 0) {
        used += part;
        handle(&request, c->worker, &c->answer);
        if (c->answer.wait_ms) {
            flush(c);
            sleep_ms(c->answer.wait_ms); // this worker does nothing else meanwhile
        }
        put(c, &request);
    }
    flush(c);
    c->in_length -= used;
    memmove(c->in, c->in + used, c->in_length);
}

// A head has to be there after head_ms, however slowly it comes; between requests the client
// may be silent for idle_ms. The kernel is told only when that changes.
static void watch_the_time(struct conversation *c)
{
    const struct settings *settings = &c->worker->crew->settings;
    bool partial = c->in_length > 0;
    if (!partial && !c->head_began)
        return;
    if (!c->head_began)
        c->head_ns = now_ns();
    int64_t left_ms =
        partial ? settings->head_ms - (now_ns() - c->head_ns) / 1000000 : settings->idle_ms;
    c->head_began = partial;
    set_patience(c->fd, SO_RCVTIMEO, left_ms > 0 ? left_ms : 1); // 0 would be for ever
}

// Reads once. False: nothing more comes.
static bool receive(struct conversation *c)
{
    ssize_t got;
    do
        got = read(c->fd, c->in + c->in_length, REQUEST_BYTES - c->in_length);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN && c->in_length) {
        struct request late = {.status = 408};
        handle(&late, c->worker, &c->answer);
        put(c, &late);
        flush(c);
    }
    c->in_length += got > 0 ? (size_t)got : 0;
    return got > 0;
}

// To close() while the client is sending would make its kernel throw our last answer away: so
// first only our half, and we read on for a moment (RFC 9112 §9.6).
static void linger(struct conversation *c)
{
    int64_t until_ns = now_ns() + CREW_LINGER_MS * INT64_C(1000000);
    if (shutdown(c->fd, SHUT_WR))
        return;
    set_patience(c->fd, SO_RCVTIMEO, CREW_LINGER_MS);
    while (now_ns() < until_ns && read(c->fd, c->in, REQUEST_BYTES) > 0)
        ;
}

void converse(int fd, struct worker *worker)
{
    struct conversation c;
    int on = 1;
    c.fd = fd;
    c.worker = worker;
    c.open = true;
    c.head_began = false;
    c.in_length = c.out_length = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // we collect answers ourselves
    set_patience(fd, SO_RCVTIMEO, worker->crew->settings.idle_ms);
    set_patience(fd, SO_SNDTIMEO, CREW_STALL_MS);
    while (c.open && receive(&c)) {
        answer_all(&c);
        watch_the_time(&c);
    }
    if (!c.open)
        linger(&c);
}
