// nonblocking.c: see nonblocking.h. Read connection_serve() first, then advance().
#include "nonblocking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handler.h"

// Sends what the kernel takes now, and keeps the rest. False: the client has gone.
static bool send_now(struct connection *c, const char *bytes, size_t length)
{
    ssize_t sent = send(c->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return false;
    if (sent < 0)
        sent = 0;
    return kept_set(&c->out, bytes + sent, length - (size_t)sent);
}

static bool send_answers(struct connection *c)
{
    size_t length = c->buffers->out_length;
    c->buffers->out_length = 0;
    return length == 0 || send_now(c, c->buffers->out, length);
}

// Writes an answer into the loop's buffer, behind those that are there.
static void put_answer(struct connection *c, const struct answer *answer)
{
    struct buffers *b = c->buffers;
    struct http_out out = {b->out + b->out_length, OUT_BYTES - b->out_length, 0, false};
    if (atomic_load(&c->worker->all->stopping))
        c->http.keep_alive = false;
    c->closing = !c->http.keep_alive;
    answer_put(&c->http, &out, answer);
    b->out_length += out.length;
}

// Calls the handler. If the answer has to wait (/io), keeps it: connection_timeout() writes it.
// For the disk (/write) there is no way to wait but to sleep: either here, and all other
// clients wait as well, or in another thread; then connection_written() writes the answer.
static void answer_request(struct connection *c)
{
    struct answer answer;
    handle(&c->request, c->worker, c->fd, &answer);
    c->wait_ms = answer.wait_ms;
    c->text = answer.text;
    if (c->wait_ms)
        return;
    if (answer.write_kb && c->buffers->disk && disk_thread_has_room(c->buffers->disk)) {
        c->write_kb = answer.write_kb; // wait_for_next() puts the job
        return;
    }
    if (answer.write_kb && c->buffers->disk)
        answer = answer_busy;
    else
        answer_wait(&answer);
    put_answer(c, &answer);
}

// True if the answer to the last request waits: then the next request stays in the kernel.
static bool is_waiting(const struct connection *c)
{
    return c->wait_ms || c->write_kb;
}

// Sets what the connection waits for now, and how long. `began_before`: the first bytes of the
// next request were here already, and its time is running. False: the connection is broken.
static bool wait_for_next(struct connection *c, bool began_before)
{
    bool good = true;
    c->events = EPOLLIN;
    c->limit_ms = 0;
    if (c->out.bytes) { // for the client to take all: taking one byte gets it no more time
        c->events = EPOLLOUT;
        c->limit_ms = STALL_MS;
    } else if (c->write_kb) {
        c->job = disk_thread_put(c->buffers->disk, c, c->write_kb);
        good = c->job;
        c->events = 0;
        c->limit_ms = DISK_MS;
    } else if (c->wait_ms) { // waits for its timer only
        c->events = 0;
        c->limit_ms = c->wait_ms;
    } else if (c->closing) { // waits for the client to close as well (RFC 9112 §9.6)
        c->lingering = true;
        good = !shutdown(c->fd, SHUT_WR);
        c->limit_ms = LINGER_MS;
    } else if (!c->http.began) { // waits for the next request
        c->limit_ms = c->worker->all->settings.idle_ms;
    } else if (!began_before) { // waits for the rest of a head: the timer keeps running
        c->limit_ms = c->worker->all->settings.head_ms;
    }
    return good;
}

// Answers all requests that are whole among the first `length` bytes in the buffer, with one
// send() as a rule, and keeps the bytes that are left.
static bool advance(struct connection *c, size_t length)
{
    const char *bytes = c->buffers->in;
    bool began_before = c->http.began;
    size_t part = 1; // length of the next request; 0: more of it has to come
    bool good = true;
    while (good && part > 0 && !c->out.bytes && !is_waiting(c) && !c->closing) {
        part = request_read(&c->http, bytes, length, &c->request);
        bytes += part;
        length -= part;
        if (part > 0)
            answer_request(c);
        if (OUT_BYTES - c->buffers->out_length < ANSWER_ROOM)
            good = send_answers(c);
    }
    good = send_answers(c) && good;
    if (c->closing)
        length = 0; // what follows the last request is thrown away
    good = good && kept_set(&c->in, bytes, length);
    return good && wait_for_next(c, began_before);
}

// Goes on with the bytes that were kept, and with `more` bytes behind them, which were just
// read into the buffer.
static bool advance_kept(struct connection *c, size_t more)
{
    if (c->in.bytes)
        memcpy(c->buffers->in, c->in.bytes, c->in.length);
    return advance(c, c->in.length + more);
}

struct connection *connection_open(int fd, struct worker *worker, struct buffers *buffers)
{
    bool refused;
    struct connection *c = workers_open_client(worker->all, fd, sizeof *c, &refused);
    if (!c)
        return NULL;
    *c =
        (struct connection){.fd = fd, .refused = refused, .worker = worker, .buffers = buffers};
    wait_for_next(c, false);
    return c;
}

bool connection_refuse(struct connection *c)
{
    atomic_fetch_add(&c->worker->all->refused, 1);
    put_answer(c, &answer_busy);
    return advance(c, 0);
}

bool connection_serve(struct connection *c)
{
    c->limit_ms = 0;
    if (c->out.bytes) { // there is room for more of the answers
        if (!send_now(c, c->out.bytes, c->out.length))
            return false;
        if (c->out.bytes)
            return true; // the kernel had no room for all of them
        return advance_kept(c, 0);
    }
    // Leaves room in front for the bytes that were kept: advance_kept() copies them there.
    ssize_t got = read(c->fd, c->buffers->in + c->in.length, REQUEST_BYTES - c->in.length);
    if (got < 0 && errno == EAGAIN)
        return true;
    // A connection whose answer waits has asked epoll for no event (wait_for_next()), and
    // epoll reports only a reset then.
    if (got <= 0 || is_waiting(c))
        return false;
    if (c->lingering)
        return true; // what the client sends after the last answer is thrown away
    return advance_kept(c, (size_t)got);
}

bool connection_timeout(struct connection *c)
{
    if (c->wait_ms && !c->out.bytes) {
        struct answer answer;
        answer.status = 200;
        answer.text = c->text;
        answer.length = strlen(c->text);
        c->wait_ms = 0;
        put_answer(c, &answer);
        return advance_kept(c, 0);
    }
    if (!c->http.began || c->out.bytes || c->lingering || c->write_kb)
        return false;
    c->http = (struct http_server){.keep_alive = false};
    c->request = (struct request){.route = REFUSED, .status = 408};
    answer_request(c);
    return advance(c, 0);
}

bool connection_written(struct connection *c)
{
    struct answer answer;
    answer_written(&answer, c->job->written);
    c->job = NULL;
    c->write_kb = 0;
    put_answer(c, &answer);
    return advance_kept(c, 0);
}

bool connection_is_busy(const struct connection *c)
{
    return is_waiting(c) || c->out.bytes || c->lingering;
}

void connection_close(struct connection *c)
{
    if (c->job)
        c->job->client = NULL; // the disk thread still has it
    if (!c->refused)
        workers_release(c->worker->all);
    close(c->fd);
    free(c->in.bytes);
    free(c->out.bytes);
    free(c);
}
