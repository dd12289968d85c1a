// conn.c: one connection of the loop, see loop.h and conn.h. Read conn_serve() first, then
// receive() and advance().
#include "conn.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

#define ROUNDS 16 // buffers full that one connection may send before others have their turn

// ---- what a lesson calls -------------------------------------------------------------------

int64_t conn_now(const struct conn *c)
{
    return c->loop->now_ns;
}

void conn_deadline(struct conn *c, int64_t ms)
{
    c->deadline_ns = loop_from_now(c->loop, ms);
    if (c->deadline_ns < c->timer.at_ns) // a later one is noticed when the timer comes
        timers_move(&c->loop->timers, &c->timer, c->deadline_ns);
}

void conn_wake(struct conn *c)
{
    if (c->lingering)
        return;
    c->wake = true;
    timers_move(&c->loop->timers, &c->timer, c->loop->now_ns);
}

size_t conn_room(const struct conn *c)
{
    if (c->out)
        return 0;
    return LOOP_OUT_BYTES - c->loop->out_length;
}

char *conn_space(const struct conn *c)
{
    return c->loop->out + c->loop->out_length;
}

void conn_wrote(struct conn *c, size_t length)
{
    c->loop->out_length += length;
}

void conn_close(struct conn *c)
{
    c->closing = true;
}

// ---- one connection ------------------------------------------------------------------------

static void watch(struct conn *c, uint32_t events)
{
    struct epoll_event event = {events, {.ptr = c}};
    if (events != c->events && epoll_ctl(c->loop->epoll, EPOLL_CTL_MOD, c->fd, &event))
        c->broken = true;
    c->events = events;
}

void conn_drop(struct conn *c)
{
    struct loop *loop = c->loop;
    timers_remove(&loop->timers, &c->timer);
    if (loop->server->closed)
        loop->server->closed(c);
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
    loop->retry_accept_ns = 0; // there is room for another one
}

// Copies bytes that have to wait into memory of the connection's own.
static char *keep(struct conn *c, const char *bytes, size_t length)
{
    if (length == 0)
        return NULL;
    char *copy = malloc(length);
    if (!copy) {
        c->broken = true;
        return NULL;
    }
    return memcpy(copy, bytes, length);
}

// Returns how many bytes the kernel has taken.
static size_t send_some(struct conn *c, const char *bytes, size_t length)
{
    if (length == 0)
        return 0;
    ssize_t sent = send(c->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        c->broken = true;
    if (sent <= 0)
        return 0;
    c->sent_ns = c->loop->now_ns;
    c->sent_bytes += (uint64_t)sent;
    return (size_t)sent;
}

// Sends what the lesson has written. What the kernel does not take, the connection keeps.
static void flush(struct conn *c)
{
    struct loop *loop = c->loop;
    size_t sent = send_some(c, loop->out, loop->out_length);
    c->out = keep(c, loop->out + sent, loop->out_length - sent);
    c->out_at = 0;
    c->out_length = (uint32_t)(loop->out_length - sent);
    c->sent_ns = loop->now_ns;
    loop->out_length = 0;
}

// ---- a client has to take its output at a lowest rate --------------------------------------

// True if the connection has something to send and the kernel has no room for it.
static bool waits_for_room(const struct conn *c)
{
    return c->out || c->events == EPOLLOUT;
}

// How many bytes the client's kernel has acknowledged. (What our kernel has taken says less: it
// may hold megabytes, and reports room only when a third of them is gone.)
static uint64_t acknowledged(const struct conn *c)
{
    int unacknowledged;
    if (ioctl(c->fd, SIOCOUTQ, &unacknowledged))
        return c->sent_bytes;
    return c->sent_bytes - (uint64_t)unacknowledged;
}

static int stall_ms(const struct conn *c)
{
    int ms = c->loop->server->stall_ms;
    if (ms == 0)
        return LOOP_STALL_MS;
    return ms;
}

// From now the client has stall_ms to take what the lowest rate asks for.
static void begin_period(struct conn *c)
{
    c->taken_bytes = acknowledged(c);
    c->period_end_ns = loop_from_now(c->loop, stall_ms(c));
}

// At a period's end: true if the client has kept to the lowest rate, and the next period
// begins.
static bool takes_enough(struct conn *c)
{
    uint64_t taken = acknowledged(c) - c->taken_bytes;
    if (taken * 1000 < (uint64_t)stall_ms(c) * LOOP_SLOWEST_RATE)
        return false;
    begin_period(c);
    return true;
}

// ---- what happens to a connection ----------------------------------------------------------

// When the loop has to look at a connection again: at the end of the period in which its client
// has to take some output, at once, or at its deadline.
static int64_t due_ns(const struct conn *c)
{
    if (waits_for_room(c))
        return c->period_end_ns;
    if (c->wake)
        return c->loop->now_ns;
    return c->deadline_ns;
}

// Lets the lesson use what has come and answer it, until nothing moves any more: it waits for
// more bytes, for room in the socket, or for its deadline. Keeps the bytes that are left.
static void advance(struct conn *c, const char *bytes, size_t length)
{
    const struct loop_server *server = c->loop->server;
    bool more = true;
    for (int round = 0; more && !c->out && !c->broken && round < ROUNDS; round++) {
        size_t used = 0;
        if (length && !c->paused && !c->closing)
            used = server->received(c, bytes, length);
        bytes += used;
        length -= used;
        more = !c->closing && server->produce && server->produce(c);
        more = more || c->loop->out_length; // its room may be what received() waits for
        flush(c);
    }
    if (c->closing)
        length = 0;
    char *in = keep(c, bytes, length);
    free(c->in);
    c->in = in;
    c->in_length = (uint32_t)length;
    if (c->out || more) { // the kernel is full, or it is the others' turn
        if (c->events != EPOLLOUT)
            begin_period(c);
        watch(c, EPOLLOUT);
    } else if (!c->ended && !c->paused) {
        watch(c, EPOLLIN);
    } else if (c->events == EPOLLOUT) { // all is sent: epoll would say so again and again
        watch(c, 0);
    }
    if (due_ns(c) < c->timer.at_ns)
        timers_move(&c->loop->timers, &c->timer, due_ns(c));
}

// Brings the bytes that were left over back into the loop's buffer.
static void bring_back(struct conn *c)
{
    if (c->in)
        memcpy(c->loop->in, c->in, c->in_length);
}

static void advance_kept(struct conn *c)
{
    bring_back(c);
    advance(c, c->loop->in, c->in_length);
}

// Reads once. What it brings stands behind what was left over.
static void receive(struct conn *c)
{
    struct loop *loop = c->loop;
    ssize_t got = read(c->fd, loop->in + c->in_length, LOOP_IN_BYTES - c->in_length);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    c->ended = got == 0;
    c->broken = got < 0 || (c->ended && c->lingering) || c->in_length == LOOP_IN_BYTES;
    if (c->ended)
        watch(c, 0);
    if (c->broken || c->lingering)
        return;
    bring_back(c);
    advance(c, loop->in, c->in_length + (size_t)got);
}

// After the last byte: closes our half, and reads on for a while. To close() while the client
// is sending would make its kernel throw our last answer away.
static void linger(struct conn *c)
{
    c->lingering = true;
    if (c->ended || shutdown(c->fd, SHUT_WR))
        c->broken = true;
    conn_deadline(c, LOOP_LINGER_MS);
    watch(c, EPOLLIN);
}

// What has become of a connection that was served.
static void settle(struct conn *c)
{
    bool idle = !waits_for_room(c) && !c->paused;
    if (c->closing && !c->out && !c->lingering)
        linger(c);
    if (c->broken || (c->ended && idle))
        conn_drop(c);
}

void conn_serve(struct conn *c, uint32_t events)
{
    // A reset: what came before it can still be read, and then read() fails. Both halves may
    // also have closed in good order (only EPOLLHUP): then what has come waits, if the lesson
    // is busy.
    bool reset = events & EPOLLERR || (events & EPOLLHUP && !c->paused);
    if (reset && (c->paused || !(events & EPOLLIN))) {
        c->broken = true;
    } else if (events & EPOLLHUP && c->paused && !c->closing) {
        watch(c, EPOLLET); // else epoll would say so again and again
    } else if (events & EPOLLOUT) {
        if (c->out)
            c->out_at += (uint32_t)send_some(c, c->out + c->out_at, c->out_length - c->out_at);
        if (c->out_at == c->out_length) {
            free(c->out);
            c->out = NULL;
            if (c->loop->stopping && !c->told_to_stop) // it could not be told before
                timers_move(&c->loop->timers, &c->timer, c->loop->now_ns);
            advance_kept(c);
        }
    } else if (c->paused && !c->closing) {
        watch(c, 0); // it is busy: what has come waits in the kernel
    } else {
        receive(c);
    }
    settle(c);
}

// The timer of a connection has come: its deadline, a conn_wake(), or the end of the program.
void conn_expire(struct conn *c)
{
    struct loop *loop = c->loop;
    void (*tell)(struct conn *) = loop->server->timeout;
    bool woken = false;
    if (loop->stopping && !c->told_to_stop && !c->out) {
        c->told_to_stop = true;
        tell = loop->server->stop;
    } else if (due_ns(c) > loop->now_ns) { // it has moved
        timers_move(&loop->timers, &c->timer, due_ns(c));
        return;
    } else if (waits_for_room(c) && takes_enough(c)) {
        timers_move(&loop->timers, &c->timer, due_ns(c));
        return;
    } else if (waits_for_room(c) || c->lingering) {
        conn_drop(c);
        return;
    } else if (c->wake) {
        woken = true;
        c->wake = false;
        tell = loop->server->woken;
    } else {
        c->deadline_ns = NEVER;
    }
    timers_move(&loop->timers, &c->timer, c->deadline_ns);
    if (tell && !c->closing)
        tell(c);
    else if (!woken)
        conn_close(c);
    advance_kept(c);
    settle(c);
}

void conn_open(struct loop *loop, int fd)
{
    const struct loop_server *server = loop->server;
    struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
    struct conn *c = calloc(1, server->conn_bytes);
    event.data.ptr = c;
    if (!c || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event)) {
        free(c);
        close(fd);
        return;
    }
    // We collect our answers ourselves.
    net_send_at_once(fd);
    c->loop = loop;
    c->fd = fd;
    c->events = EPOLLIN;
    c->deadline_ns = NEVER;
    timers_add(&loop->timers, &c->timer, NEVER);
    loop->accepted++;
    if (server->opened)
        server->opened(c);
    advance_kept(c);
    settle(c);
}

void conn_await_connected(struct conn *c, int64_t ms)
{
    c->period_end_ns = loop_from_now(c->loop, ms);
    watch(c, EPOLLOUT);
    if (c->broken)
        conn_drop(c);
    else
        timers_move(&c->loop->timers, &c->timer, c->period_end_ns);
}
