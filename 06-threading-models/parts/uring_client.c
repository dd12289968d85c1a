// uring_client.c: see uring_client.h. Read client_received() first, then advance().
#include "uring_client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handler.h"

_Static_assert(OUT_BYTES >= ANSWER_ROOM, "an answer fits");

static struct out *new_out(struct client_buffers *buffers)
{
    struct out *out = buffers->free;
    if (out)
        buffers->free = out->next;
    else
        out = calloc(1, sizeof *out);
    if (out)
        out->length = out->sent = 0;
    return out;
}

static void release_out(struct client *c)
{
    c->out->next = c->buffers->free;
    c->buffers->free = c->out;
    c->out = NULL;
}

// Writes an answer behind those that are there. False: there is no memory.
static bool put_answer(struct client *c, const struct answer *answer)
{
    if (!c->out)
        c->out = new_out(c->buffers);
    if (!c->out)
        return false;
    struct out *o = c->out;
    struct http_out out = {o->bytes + o->length, OUT_BYTES - o->length, 0, false};
    if (atomic_load(&c->worker->all->stopping))
        c->http.keep_alive = false;
    c->closing = !c->http.keep_alive;
    answer_put(&c->http, &out, answer);
    o->length += out.length;
    return true;
}

// True if the answer to the last request waits for its time, or for the disk.
static bool is_waiting(const struct client *c)
{
    return c->wait_ms || c->write_kb;
}

// Calls the handler. If the answer has to wait, keeps it: client_timeout() or client_written()
// writes it.
static bool answer_request(struct client *c)
{
    struct answer answer;
    handle(&c->request, c->worker, c->fd, &answer);
    c->wait_ms = answer.wait_ms;
    c->text = answer.text;
    c->write_kb = answer.write_kb;
    return is_waiting(c) || put_answer(c, &answer);
}

// What the connection needs next: one thing at a time. While answers are sent, or wait, nothing
// is received, so a client that takes no answers cannot fill the server's memory.
// `began_before`: the first bytes of the next request were here already, and its time is
// running.
static enum need next_need(struct client *c, bool began_before)
{
    const struct settings *settings = &c->worker->all->settings;
    c->limit_ms = 0;
    if (c->out) {
        c->limit_ms = STALL_MS; // for all of it: taking one byte gets the client no more time
        return NEED_SENT;
    }
    if (c->wait_ms) {
        c->limit_ms = c->wait_ms;
        return NEED_TIME;
    }
    if (c->write_kb) {
        c->limit_ms = DISK_MS;
        return NEED_DISK;
    }
    if (c->closing && !c->lingering) { // waits for the client to close (RFC 9112 §9.6)
        c->lingering = true;
        c->limit_ms = LINGER_MS;
        if (shutdown(c->fd, SHUT_WR))
            return NEED_CLOSE;
    } else if (!c->closing && !c->http.began) {
        c->limit_ms = settings->idle_ms;
    } else if (!c->closing && !began_before) { // the rest of a head: the timer keeps running
        c->limit_ms = settings->head_ms;
    }
    return NEED_BYTES;
}

// Answers the requests that are whole among these bytes, as many as have room in one send, and
// keeps the bytes that are left.
static enum need advance(struct client *c, const char *bytes, size_t length)
{
    bool began_before = c->http.began, good = true, room = true;
    size_t part = 1; // length of the next request; 0: more of it has to come
    while (good && room && part > 0 && !is_waiting(c) && !c->closing) {
        part = request_read(&c->http, bytes, length, &c->request);
        bytes += part;
        length -= part;
        if (part > 0)
            good = answer_request(c);
        room = !c->out || OUT_BYTES - c->out->length >= ANSWER_ROOM;
    }
    if (c->closing)
        length = 0; // what follows the last request is thrown away
    if (!good || !kept_set(&c->in, bytes, length))
        return NEED_CLOSE;
    return next_need(c, began_before);
}

enum need client_received(struct client *c, const char *bytes, size_t length)
{
    if (c->closing) // what the client sends after its last request is thrown away
        return next_need(c, false);
    if (c->in.bytes) {
        memcpy(c->buffers->in, c->in.bytes, c->in.length);
        memcpy(c->buffers->in + c->in.length, bytes, length);
        bytes = c->buffers->in;
        length += c->in.length;
    }
    return advance(c, bytes, length);
}

enum need client_sent(struct client *c, size_t count)
{
    c->out->sent += count;
    if (c->out->sent < c->out->length) {
        c->limit_ms = 0;
        return NEED_SENT;
    }
    release_out(c);
    return client_received(c, "", 0);
}

enum need client_written(struct client *c, bool written)
{
    struct answer answer;
    answer_written(&answer, written);
    c->write_kb = 0;
    if (!put_answer(c, &answer))
        return NEED_CLOSE;
    return next_need(c, false);
}

enum need client_timeout(struct client *c)
{
    if (c->wait_ms && !c->out) {
        struct answer answer = {.status = 200, .text = c->text, .length = strlen(c->text)};
        c->wait_ms = 0;
        if (!put_answer(c, &answer))
            return NEED_CLOSE;
        return next_need(c, false);
    }
    if (!c->http.began || c->out || c->lingering || c->write_kb)
        return NEED_CLOSE;
    c->http = (struct http_server){.keep_alive = false};
    c->request = (struct request){.route = REFUSED, .status = 408};
    if (!answer_request(c))
        return NEED_CLOSE;
    return next_need(c, false);
}

struct client *client_open(int fd, struct worker *worker, struct client_buffers *buffers)
{
    bool refused;
    struct client *c = workers_open_client(worker->all, fd, sizeof *c, &refused);
    if (!c)
        return NULL;
    *c = (struct client){.fd = fd, .refused = refused, .worker = worker, .buffers = buffers};
    next_need(c, false);
    return c;
}

enum need client_refuse(struct client *c)
{
    atomic_fetch_add(&c->worker->all->refused, 1);
    if (!put_answer(c, &answer_busy))
        return NEED_CLOSE;
    c->closing = true;
    return next_need(c, false);
}

bool client_is_busy(const struct client *c)
{
    return is_waiting(c) || c->out || c->lingering;
}

void client_close(struct client *c)
{
    if (!c->refused)
        workers_release(c->worker->all);
    close(c->fd);
}

void client_free(struct client *c)
{
    if (c->out)
        release_out(c);
    free(c->in.bytes);
    free(c);
}

void client_buffers_free(struct client_buffers *buffers)
{
    for (struct out *next, *out = buffers->free; out; out = next) {
        next = out->next;
        free(out);
    }
}
