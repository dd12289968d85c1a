// loop.c: see loop.h. Read loop_serve() first, then serve(), receive() and advance().
#include "loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "net.h"

#define EVENTS          256 // that one epoll_wait() may bring
#define ACCEPTS         64  // connections accepted before the others have their turn
#define ROUNDS          16  // buffers full that one connection may send before that
#define RETRY_ACCEPT_MS 500 // after accept() found no free descriptor
#define SPARE_FILES     50  // that a program needs beside its connections

struct loop {
    const struct loop_server *server;
    int epoll, listener;
    bool accepting, stopping;
    int64_t now_ns, retry_accept_ns, stop_ns;
    long accepted;
    struct timers timers; // one for each connection
    size_t out_length;
    char in[LOOP_IN_BYTES], out[LOOP_OUT_BYTES];
};

static int64_t from_now(const struct loop *loop, int64_t ms)
{
    return ms == NEVER ? NEVER : loop->now_ns + ms * 1000000;
}

// ---- what a lesson calls -------------------------------------------------------------------

int64_t conn_now(const struct conn *c)
{
    return c->loop->now_ns;
}

void conn_deadline(struct conn *c, int64_t ms)
{
    c->deadline_ns = from_now(c->loop, ms);
    if (c->deadline_ns < c->timer.at_ns) // a later one is noticed when the timer comes
        timers_move(&c->loop->timers, &c->timer, c->deadline_ns);
}

size_t conn_room(const struct conn *c)
{
    return c->out ? 0 : LOOP_OUT_BYTES - c->loop->out_length;
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

static void drop(struct conn *c)
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
    char *copy = length ? malloc(length) : NULL;
    c->broken = c->broken || (length && !copy);
    return copy ? memcpy(copy, bytes, length) : NULL;
}

// Returns how many bytes the kernel has taken.
static size_t send_some(struct conn *c, const char *bytes, size_t length)
{
    ssize_t sent = length ? send(c->fd, bytes, length, MSG_NOSIGNAL) : 0;
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        c->broken = true;
    if (sent > 0)
        c->sent_ns = c->loop->now_ns;
    return sent > 0 ? (size_t)sent : 0;
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

// It has something to send, and the kernel has no room for it.
static bool waits_for_room(const struct conn *c)
{
    return c->out || c->events == EPOLLOUT;
}

// When the loop has to look at it again: its deadline, or else the end of our patience.
static int64_t due_ns(const struct conn *c)
{
    return waits_for_room(c) ? c->sent_ns + LOOP_STALL_MS * INT64_C(1000000) : c->deadline_ns;
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
        more = more || c->loop->out_length;
        flush(c);
    }
    if (c->closing)
        length = 0;
    char *in = keep(c, bytes, length);
    free(c->in);
    c->in = in;
    c->in_length = (uint32_t)length;
    if (c->out || more) // the kernel is full, or it is the others' turn
        watch(c, EPOLLOUT);
    else if (!c->ended && !c->paused)
        watch(c, EPOLLIN);
    else if (c->events == EPOLLOUT) // all is sent: epoll would say so again and again
        watch(c, 0);
    if (due_ns(c) < c->timer.at_ns)
        timers_move(&c->loop->timers, &c->timer, due_ns(c));
}

static void advance_kept(struct conn *c)
{
    memcpy(c->loop->in, c->in ? c->in : "", c->in_length);
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
    memcpy(loop->in, c->in ? c->in : "", c->in_length);
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
        drop(c);
}

static void serve(struct conn *c, uint32_t events)
{
    // A reset: what came before it can still be read, and then read() fails.
    bool reset = events & (EPOLLERR | EPOLLHUP);
    if (reset && (c->paused || !(events & EPOLLIN))) {
        c->broken = true;
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

// The timer of a connection has come: its deadline, perhaps, or the end of the program.
static void expire(struct conn *c)
{
    struct loop *loop = c->loop;
    void (*tell)(struct conn *) = loop->server->timeout;
    if (loop->stopping && !c->told_to_stop && !c->out) {
        c->told_to_stop = true;
        tell = loop->server->stop;
    } else if (due_ns(c) > loop->now_ns) { // it has moved
        timers_move(&loop->timers, &c->timer, due_ns(c));
        return;
    } else if (waits_for_room(c) || c->lingering) {
        drop(c);
        return;
    } else {
        c->deadline_ns = NEVER;
    }
    timers_move(&loop->timers, &c->timer, c->deadline_ns);
    tell && !c->closing ? tell(c) : conn_close(c);
    advance_kept(c);
    settle(c);
}

// ---- all of them ---------------------------------------------------------------------------

static void open_connection(struct loop *loop, int fd)
{
    const struct loop_server *server = loop->server;
    struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
    struct conn *c = calloc(1, server->conn_bytes);
    int on = 1;
    event.data.ptr = c;
    if (!c || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event)) {
        free(c);
        close(fd);
        return;
    }
    // We collect our answers ourselves.
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
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

static void accept_some(struct loop *loop)
{
    for (int i = 0; i < ACCEPTS && loop->timers.count < (uint32_t)loop->server->conns_max;
         i++) {
        int fd = loop->server->accept
                     ? loop->server->accept(loop->listener)
                     : accept4(loop->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            open_connection(loop, fd);
        else if (errno == ECONNABORTED)
            continue;
        else {
            if (errno != EAGAIN) // no descriptor, no memory: there may be some later
                loop->retry_accept_ns = from_now(loop, RETRY_ACCEPT_MS);
            return;
        }
    }
}

// Listens, or looks away while there is no room: the next client waits in the kernel's queue.
static void watch_listener(struct loop *loop)
{
    bool want = !loop->stopping && loop->retry_accept_ns <= loop->now_ns &&
                loop->timers.count < (uint32_t)loop->server->conns_max;
    struct epoll_event event = {want ? EPOLLIN : 0, {.ptr = &loop->listener}};
    if (want != loop->accepting &&
        !epoll_ctl(loop->epoll, EPOLL_CTL_MOD, loop->listener, &event))
        loop->accepting = want;
}

// It is time. Everybody's timer comes now, and each is told; the second time, at once.
static void stop(struct loop *loop, int stop_fd)
{
    struct signalfd_siginfo signal;
    loop->stop_ns = loop->stopping ? loop->now_ns : from_now(loop, LOOP_STOP_MS);
    if (read(stop_fd, &signal, sizeof signal) < 0 || loop->stopping)
        return;
    loop->stopping = true;
    close(loop->listener);
    for (uint32_t i = 0; i < loop->timers.count; i++)
        loop->timers.heap[i]->at_ns = loop->now_ns;
}

static struct conn *first(const struct loop *loop)
{
    return loop->timers.count ? (struct conn *)loop->timers.heap[0] : NULL;
}

static bool is_due(const struct loop *loop)
{
    return first(loop) && first(loop)->timer.at_ns <= loop->now_ns;
}

// How long epoll may sleep, in milliseconds; -1: until something happens.
static int sleep_for(const struct loop *loop)
{
    int64_t until_ns = first(loop) ? first(loop)->timer.at_ns : NEVER;
    if (!loop->accepting && loop->retry_accept_ns && loop->retry_accept_ns < until_ns)
        until_ns = loop->retry_accept_ns;
    if (loop->stopping && loop->stop_ns < until_ns)
        until_ns = loop->stop_ns;
    if (until_ns == NEVER)
        return -1;
    return until_ns > loop->now_ns ? (int)((until_ns - loop->now_ns + 999999) / 1000000) : 0;
}

static void start(struct loop *loop, int stop_fd)
{
    struct epoll_event clients = {0, {.ptr = &loop->listener}},
                       stops = {EPOLLIN, {.ptr = loop}};
    struct rlimit files;
    size_t conns_max = (size_t)loop->server->conns_max;
    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < conns_max + SPARE_FILES) {
        files.rlim_cur =
            conns_max + SPARE_FILES < files.rlim_max ? conns_max + SPARE_FILES : files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    net_set_nonblocking(loop->listener);
    loop->timers.heap = calloc(conns_max, sizeof *loop->timers.heap);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!loop->timers.heap || loop->epoll < 0 ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->listener, &clients) ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, stop_fd, &stops))
        die("cannot set up epoll: %s", strerror(errno));
}

long loop_serve(int listener, int stop_fd, const struct loop_server *server)
{
    struct epoll_event events[EVENTS];
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        die("no memory for a loop");
    loop->server = server;
    loop->listener = listener;
    start(loop, stop_fd);
    while (!loop->stopping || (loop->timers.count && loop->now_ns < loop->stop_ns)) {
        loop->now_ns = now_ns();
        watch_listener(loop);
        int count = epoll_wait(loop->epoll, events, EVENTS, sleep_for(loop));
        loop->now_ns = now_ns();
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &loop->listener)
                accept_some(loop);
            else if (events[i].data.ptr == loop)
                stop(loop, stop_fd);
            else
                serve(events[i].data.ptr, events[i].events);
        }
        // Not more than there are: one that asks to be called at once has its turn next round.
        for (uint32_t i = loop->timers.count; i > 0 && is_due(loop); i--)
            expire(first(loop));
        if (server->round)
            server->round();
    }
    while (first(loop))
        drop(first(loop));
    long accepted = loop->accepted;
    close(loop->epoll);
    free(loop->timers.heap);
    free(loop);
    return accepted;
}

long loop_run(int listener, const struct loop_server *server)
{
    int stop_fd = net_stop_fd();
    net_ready(listener);
    long accepted = loop_serve(listener, stop_fd, server);
    close(stop_fd);
    return accepted;
}
