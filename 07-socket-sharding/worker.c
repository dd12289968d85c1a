// worker.c: see worker.h. Read sleep_in_accept() first, then sleep_in_epoll() and
// accept_some(); drain_alone() and drain() are how they end.
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "connection.h"

#define CONNECTIONS_MAX  10000 // connections of one worker at once
#define EVENTS           64    // that one epoll_wait() may bring
#define ACCEPTS          1     // connections taken for one wake-up: the rest is the others'
#define RETRY_ACCEPT_MS  500   // after accept() found no free descriptor
#define REQUEST_MS       5000  // until a request has to be there
#define REQUEST_ALONE_MS 1000  // the same where all other clients wait meanwhile
#define DRAIN_MS         3000  // for the connections that it has when it is told to end

struct worker_state {
    const struct worker *worker;
    struct worker_stats *line;
    struct host host;
    int epoll;
    bool listening; // the listening socket is in the epoll set
    bool ending;    // it has been told
    int64_t now_ns, listen_again_ns, end_ns;
    struct timers timers; // of those that wait
    struct connection *connections, **unused;
    size_t unused_count;
};

static int ending(const struct worker_state *p)
{
    return atomic_load_explicit(&p->worker->stats->ending, memory_order_relaxed);
}

// Whether accept() sleeps is a property of the socket, not of the call: it holds for all
// workers that share the socket.
static void set_blocking(int fd, bool blocking)
{
    int flags = fcntl(fd, F_GETFL);
    if (blocking)
        fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    else
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

// Takes the connection that has waited longest. -1, errno set, if there is none, or if it
// cannot be taken. With a blocking socket it sleeps until there is one.
static int accept_one(const struct worker_state *p)
{
    int fd = accept4(p->worker->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        stats_count(&p->line->accepted);
    return fd;
}

// ---- one connection at a time: the worker waits in accept() --------------------------------

// Looks away from the listening socket for a while, or until the end.
static void pause_accepting(const struct worker_state *p)
{
    struct pollfd stop = {p->worker->stop_fd, POLLIN, 0};
    poll(&stop, 1, RETRY_ACCEPT_MS);
}

// When the worker's own time is over; NEVER while it runs.
static int64_t end_ns(struct worker_state *p)
{
    if (!p->ending && ending(p)) {
        p->ending = true;
        p->end_ns = now_ns() + DRAIN_MS * INT64_C(1000000);
    }
    if (!p->ending)
        return NEVER;
    return ending(p) == AT_ONCE ? 0 : p->end_ns;
}

// While this connection is slow, no other one is served by this worker.
static void serve_alone(struct worker_state *p, int fd)
{
    struct connection *s = p->unused[0];
    connection_begin(s, fd, now_ns() + REQUEST_ALONE_MS * INT64_C(1000000));
    while (connection_step(s, &p->host)) {
        struct pollfd ready = {fd, POLLIN, 0};
        int64_t now = now_ns();
        if (now >= s->due_ns || now >= end_ns(p)) {
            connection_expire(s);
            break;
        }
        int64_t until_ns = s->due_ns;
        if (end_ns(p) < until_ns)
            until_ns = end_ns(p);
        if (until_ns > now)
            poll(&ready, 1, (int)((until_ns - now) / 1000000) + 1);
    }
    close(fd);
}

// Takes all clients that the kernel has already connected, and serves them: to close a
// listening socket resets them. So is a client that comes between the last accept() and
// shutdown(), unless the kernel is told to move it to another shard (net.ipv4.tcp_migrate_req,
// off by default), or the socket is handed over instead: see handover.h.
static void drain_alone(struct worker_state *p)
{
    static _Thread_local int waiting[CONNECTIONS_MAX];
    bool empty = false;
    set_blocking(p->worker->listener, false);
    while (!empty && now_ns() < end_ns(p)) {
        int count = 0;
        while (count < CONNECTIONS_MAX && (waiting[count] = accept_one(p)) >= 0)
            count++;
        empty = count == 0 || (count < CONNECTIONS_MAX && errno == EAGAIN);
        // The socket has a descriptor in every process of ours; this ends it for all, now.
        if (empty)
            shutdown(p->worker->listener, SHUT_RD);
        for (int i = 0; i < count; i++)
            serve_alone(p, waiting[i]);
    }
}

static void sleep_in_accept(struct worker_state *p)
{
    set_blocking(p->worker->listener, true);
    sem_post(&p->worker->stats->settled);
    while (p->worker->stuck && !ending(p))
        pause_accepting(p);
    while (!ending(p)) {
        // All workers may sleep here at once. The kernel wakes one for each connection: the one
        // that has slept longest (accept waits "exclusively", in a queue).
        int fd = accept_one(p);
        if (fd < 0 && errno == EINTR)
            continue; // a signal: is it time to end?
        stats_count(&p->line->wakeups);
        if (fd >= 0) {
            serve_alone(p, fd);
        } else if (errno != ECONNABORTED) {
            pause_accepting(p); // no descriptor is free: the client waits in the kernel's queue
        }
    }
    if (ending(p) == DRAINING)
        drain_alone(p);
}

// ---- many connections: the worker waits in epoll_wait() ------------------------------------

// Puts the listening socket into this worker's epoll set. Every worker does: the set then
// sleeps in the wait queue of the socket, whether the worker sleeps in epoll_wait() or not.
static void listen_on(struct worker_state *p)
{
    struct epoll_event event = {EPOLLIN, {.ptr = p}};
    // Without EPOLLEXCLUSIVE a connection wakes the workers of all sets that hold the socket.
    if (p->worker->wait == IN_EPOLL_ALONE)
        event.events |= EPOLLEXCLUSIVE;
    p->listening = !epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->worker->listener, &event);
    p->listen_again_ns = p->now_ns + RETRY_ACCEPT_MS * INT64_C(1000000); // if not listening
}

static void look_away(struct worker_state *p)
{
    epoll_ctl(p->epoll, EPOLL_CTL_DEL, p->worker->listener, NULL);
    p->listening = false;
    p->listen_again_ns = p->now_ns + RETRY_ACCEPT_MS * INT64_C(1000000);
}

static void end_connection(struct worker_state *p, struct connection *s)
{
    if (s->watched)
        timers_remove(&p->timers, &s->timer);
    close(s->fd); // which takes it out of the epoll set
    p->unused[p->unused_count++] = s;
    if (!p->listening)
        p->listen_again_ns = p->now_ns; // there is room again
}

// Goes on with a connection; begins to watch it when it has to wait for the first time.
static void serve(struct worker_state *p, struct connection *s)
{
    struct epoll_event event = {EPOLLIN, {.ptr = s}};
    if (!connection_step(s, &p->host) ||
        (!s->watched && epoll_ctl(p->epoll, EPOLL_CTL_ADD, s->fd, &event))) {
        end_connection(p, s);
    } else if (s->watched) {
        timers_move(&p->timers, &s->timer, s->due_ns);
    } else {
        s->watched = true;
        timers_add(&p->timers, &s->timer, s->due_ns);
    }
}

// Takes at most so many connections. Returns how many; errno says why there were no more.
static int accept_some(struct worker_state *p, int most)
{
    int count = 0;
    for (errno = 0; count < most && p->unused_count; count++) {
        int fd = accept_one(p);
        if (fd < 0)
            return count;
        struct connection *s = p->unused[--p->unused_count];
        connection_begin(s, fd, p->now_ns + REQUEST_MS * INT64_C(1000000));
        serve(p, s);
    }
    return count;
}

static void wake_for_connections(struct worker_state *p)
{
    stats_count(&p->line->wakeups);
    if (accept_some(p, ACCEPTS) > 0 || errno == ECONNABORTED)
        return;
    if (errno == EAGAIN)
        stats_count(&p->line->vain); // another worker was faster
    else if (errno != EINTR)
        look_away(p); // no descriptor, or no room: the client waits in the kernel's queue
}

static void expire(struct worker_state *p)
{
    while (p->timers.count && p->timers.heap[0]->at_ns <= p->now_ns) {
        struct connection *s = (struct connection *)p->timers.heap[0];
        connection_expire(s);
        end_connection(p, s);
    }
}

// How long epoll_wait() may sleep, in milliseconds; -1: until something happens.
static int sleep_ms_at_most(const struct worker_state *p)
{
    int64_t until_ns = NEVER;
    if (p->timers.count)
        until_ns = p->timers.heap[0]->at_ns;
    if (!p->listening && !p->ending && !p->worker->stuck && p->listen_again_ns < until_ns)
        until_ns = p->listen_again_ns;
    if (p->ending && p->end_ns < until_ns)
        until_ns = p->end_ns;
    if (until_ns == NEVER)
        return -1;
    return until_ns > p->now_ns ? (int)((until_ns - p->now_ns) / 1000000) + 1 : 0;
}

// ---- the end -------------------------------------------------------------------------------

// The same for many at once: see drain_alone().
static void drain(struct worker_state *p)
{
    accept_some(p, CONNECTIONS_MAX);
    shutdown(p->worker->listener, SHUT_RD);
}

static void begin_to_end(struct worker_state *p)
{
    end_ns(p);
    epoll_ctl(p->epoll, EPOLL_CTL_DEL, p->worker->stop_fd, NULL);
    if (p->listening)
        look_away(p);
    if (ending(p) == DRAINING)
        drain(p);
}

static void sleep_in_epoll(struct worker_state *p)
{
    struct epoll_event events[EVENTS];
    set_blocking(p->worker->listener, false);
    if (!p->worker->stuck)
        listen_on(p);
    sem_post(&p->worker->stats->settled);
    while (!p->ending || (p->timers.count && p->now_ns < end_ns(p))) {
        p->now_ns = now_ns();
        if (!p->listening && !p->ending && !p->worker->stuck && p->now_ns >= p->listen_again_ns)
            listen_on(p);
        int count = epoll_wait(p->epoll, events, EVENTS, sleep_ms_at_most(p));
        p->now_ns = now_ns();
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == p)
                wake_for_connections(p);
            else if (events[i].data.ptr)
                serve(p, events[i].data.ptr);
            else
                begin_to_end(p);
        }
        expire(p);
    }
    while (p->timers.count)
        end_connection(p, (struct connection *)p->timers.heap[0]);
}

// ---- the worker ----------------------------------------------------------------------------

static void pin(int number)
{
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((size_t)(number - 1) % (size_t)sysconf(_SC_NPROCESSORS_ONLN), &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus))
        fprintf(stderr, "worker %d cannot be pinned to a CPU: %s\n", number, strerror(errno));
}

// Gets what the worker needs for its place. False: not now, there is no descriptor or memory.
static bool settle_in(struct worker_state *p)
{
    size_t connections = p->worker->wait == IN_ACCEPT ? 1 : CONNECTIONS_MAX;
    struct epoll_event stop = {EPOLLIN, {.ptr = NULL}};
    p->connections = calloc(connections, sizeof *p->connections);
    p->unused = calloc(connections, sizeof(struct connection *));
    p->timers.heap = calloc(connections, sizeof(struct timer *));
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!p->connections || !p->unused || !p->timers.heap || p->epoll < 0 ||
        epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->worker->stop_fd, &stop))
        return false;
    for (p->unused_count = 0; p->unused_count < connections; p->unused_count++)
        p->unused[p->unused_count] = &p->connections[connections - 1 - p->unused_count];
    if (p->worker->pinned)
        pin(p->worker->number);
    p->host = (struct host){p->worker->number, getpid(), gettid(), p->worker->stop_fd,
                            p->worker->stats};
    p->line->tid = p->host.tid;
    p->line->pid = p->host.pid;
    return true;
}

static void move_out(struct worker_state *p)
{
    if (p->epoll >= 0)
        close(p->epoll);
    free(p->connections);
    free(p->unused);
    free(p->timers.heap);
}

void worker_run(const struct worker *worker)
{
    struct worker_state place = {.worker = worker,
                                 .line = &worker->stats->line[worker->number - 1]},
                        *p = &place;
    while (!settle_in(p)) {
        fprintf(stderr, "worker %d cannot begin: %s\n", worker->number, strerror(errno));
        move_out(p);
        pause_accepting(p);
        if (ending(p))
            return;
    }
    if (worker->wait == IN_ACCEPT)
        sleep_in_accept(p);
    else
        sleep_in_epoll(p);
    move_out(p);
}
