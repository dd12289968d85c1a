// blocking.c: see blocking.h. Read serve_blocking(), at the end, first.
#include "blocking.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handler.h"
#include "net.h"

#define OUT_BYTES 8192 // of answers that are collected before they are written

_Static_assert(OUT_BYTES >= ANSWER_ROOM, "an answer fits");

// The one connection that this worker serves. (The loops have a struct connection of their own,
// in nonblocking.h.) It lies on the worker's stack: of its 45 KB only the pages that are used
// take memory.
struct connection {
    int fd;
    struct worker *worker;
    bool open;                    // another request may follow
    struct http_server http;      // what is known of the request that comes
    bool head_began;              // a part of its head was here when the time limit was set
    int64_t head_ns;              // when that part came
    size_t in_length, out_length; // bytes in in[] and in out[]
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

// Sends all answers. The client has to take all of them within STALL_MS: SO_SNDTIMEO limits the
// whole send(), which ends early only for a signal. A client that takes a byte now and then
// gets no more time.
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

// Writes the answer behind those that are in out[]; sends them if it is the last one.
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

// Answers all requests that are whole, with one send() for all answers unless one has to wait.
// Keeps the bytes behind them, the beginning of the next request.
static void answer_all(struct connection *c)
{
    struct request request;
    size_t used = 0, part;
    while (c->open && used < c->in_length &&
           (part = request_read(&c->http, c->in + used, c->in_length - used, &request)) > 0) {
        used += part;
        handle(&request, c->worker, c->fd, &c->answer);
        if (c->answer.wait_ms || c->answer.write_kb) {
            flush(c);
            answer_wait(&c->answer); // this worker does nothing else meanwhile
        }
        put_answer(c);
    }
    flush(c);
    c->in_length -= used;
    memmove(c->in, c->in + used, c->in_length);
}

// Sets how long the next read() may block. A whole head has to come within head_ms, however
// slowly its bytes come. Between requests the client may be silent for idle_ms; as long as that
// is the limit already, there is no need to set it again.
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

// Reads once. False: the client has closed, or was too slow, or the server stops.
static bool receive(struct connection *c)
{
    ssize_t got;
    do
        got = read(c->fd, c->in + c->in_length, REQUEST_BYTES - c->in_length);
    while (got < 0 && errno == EINTR);
    // EAGAIN: the time limit has passed. A client that has begun a request gets a 408.
    if (got < 0 && errno == EAGAIN && c->http.began) {
        struct request late = {.route = REFUSED, .status = 408};
        c->http = (struct http_server){.keep_alive = false};
        handle(&late, c->worker, c->fd, &c->answer);
        put_answer(c);
    }
    if (got > 0)
        c->in_length += (size_t)got;
    return got > 0;
}

// If the server called close() while the client is still sending, the server's kernel would
// send a reset, and the client's kernel would throw away the last answer. So the server closes
// only its own half, and reads on for a moment (RFC 9112 §9.6).
static void linger(struct connection *c)
{
    int64_t until_ns = now_ns() + LINGER_MS * INT64_C(1000000);
    if (shutdown(c->fd, SHUT_WR))
        return;
    limit(c->fd, SO_RCVTIMEO, LINGER_MS);
    while (now_ns() < until_ns && read(c->fd, c->in, REQUEST_BYTES) > 0)
        ;
}

int accept_blocking(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    // EINVAL: the listener was shut down, because the server stops.
    if (fd < 0 && errno != EINTR && errno != ECONNABORTED && errno != EINVAL)
        sleep_ms(RETRY_MS); // there is no free descriptor
    return fd;
}

void serve_blocking(int fd, struct worker *worker)
{
    struct connection c;
    // Field by field: an initialiser would write zeros to all 45 KB.
    c.fd = fd;
    c.worker = worker;
    c.open = true;
    c.http = (struct http_server){.content_max = 0}; // a request has no content here
    c.head_began = false;
    c.in_length = c.out_length = 0;
    net_send_at_once(fd); // answers are collected in out[]
    limit(fd, SO_RCVTIMEO, worker->all->settings.idle_ms);
    limit(fd, SO_SNDTIMEO, STALL_MS);
    while (c.open && receive(&c)) {
        answer_all(&c);
        set_time_limit(&c);
    }
    if (!c.open) // the server ends the connection, not the client
        linger(&c);
}
