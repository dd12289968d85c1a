// worker.c: see worker.h. Read sleep_in_accept() first, then sleep_in_epoll() and
// accept_some(). In drain_alone() and drain() a worker ends.
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
#define ACCEPTS          1     // connections taken for one wake-up: other workers take the rest
#define RETRY_ACCEPT_MS  500   // after accept() found no free descriptor
#define REQUEST_MS       5000  // within this time a request has to come
#define REQUEST_ALONE_MS 1000  // the same in accept(), where all other clients wait meanwhile
#define DRAIN_MS         3000  // for the clients that a worker has when it is told to end

struct worker_state {
    const struct worker *worker;
    struct worker_stats *line;
    struct host host;
    int epoll;
    bool listening;             // the listening socket is in the epoll set
    bool ending;                // the worker has been told to end
    int64_t now_ns;             // the time of this round of the loop
    int64_t listen_again_ns;    // when the listening socket goes back into the epoll set
    int64_t end_ns;             // when a worker that is ending drops the clients that are left
    struct timers timers;       // one for each connection that waits for its client
    struct connection **unused; // connections without a client, to be used again
    size_t unused_count;
    size_t made; // connections there are, with and without a client
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

// For poll() and epoll_wait(): the milliseconds until this moment, rounded up, so that the
// moment has come when they return.
static int ms_until(int64_t until_ns, int64_t now)
{
    if (until_ns <= now)
        return 0;
    return (int)((until_ns - now) / 1000000) + 1;
}

// Takes the connection that has waited longest in the accept queue. If the socket is blocking,
// accept4() sleeps until there is one. Returns -1, with errno set, if there is no connection,
// or if it cannot be taken.
static int accept_one(const struct worker_state *p)
{
    int fd = accept4(p->worker->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        stats_count(&p->line->accepted);
    return fd;
}

// ---- one connection at a time: the worker waits in accept() --------------------------------

// Accepts nothing for RETRY_ACCEPT_MS, or until the worker is told to end.
static void pause_accepting(const struct worker_state *p)
{
    struct pollfd stop = {p->worker->stop_fd, POLLIN, 0};
    poll(&stop, 1, RETRY_ACCEPT_MS);
}

// The moment at which the worker drops the clients that are left. NEVER: it is not told to end.
static int64_t end_ns(struct worker_state *p)
{
    if (!p->ending && ending(p)) {
        p->ending = true;
        p->end_ns = now_ns() + DRAIN_MS * INT64_C(1000000);
    }
    if (!p->ending)
        return NEVER;
    if (ending(p) == AT_ONCE)
        return 0;
    return p->end_ns;
}

// Serves one client to its end. While this client is slow, the worker serves no other one.
static void serve_alone(struct worker_state *p, int fd)
{
    struct connection connection;
    connection_begin(&connection, fd, now_ns() + REQUEST_ALONE_MS * INT64_C(1000000));
    while (connection_step(&connection, &p->host)) {
        struct pollfd ready = {fd, POLLIN, 0};
        int64_t now = now_ns(), until_ns = connection.due_ns;
        if (end_ns(p) < until_ns)
            until_ns = end_ns(p);
        if (now >= until_ns) {
            connection_expire(&connection, &p->host);
            break;
        }
        poll(&ready, 1, ms_until(until_ns, now));
    }
    close(fd);
}

// Serves all clients that are in the accept queue: if the worker closed the listening socket
// now, the kernel would reset them. A client that comes between the last accept() and
// shutdown() is reset all the same. Two things help against that: the kernel moves such a
// client to another shard (net.ipv4.tcp_migrate_req, off by default), or the socket is not
// closed but handed over (handover.h).
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
        // Every process of this server has a descriptor of the socket, so close() would not end
        // it. shutdown() does.
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
        // All workers may sleep here at once. For each connection the kernel wakes one of them:
        // the one that has slept longest. (In accept() they wait "exclusively", in a queue.)
        int fd = accept_one(p);
        if (fd < 0 && errno == EINTR)
            continue; // a signal has come: perhaps it is time to end
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

// Puts the listening socket into this worker's epoll set. Every worker does so, and each set
// then has a place in the wait queue of the socket, also while its worker is awake.
static void listen_on(struct worker_state *p)
{
    struct epoll_event event = {EPOLLIN, {.ptr = p}};
    // Without EPOLLEXCLUSIVE a connection wakes the workers of all sets that hold the socket.
    if (p->worker->wait == IN_EPOLL_ALONE)
        event.events |= EPOLLEXCLUSIVE;
    p->listening = !epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->worker->listener, &event);
    p->listen_again_ns = p->now_ns + RETRY_ACCEPT_MS * INT64_C(1000000); // if not listening
}

// Takes the listening socket out of the epoll set for RETRY_ACCEPT_MS.
static void pause_listening(struct worker_state *p)
{
    epoll_ctl(p->epoll, EPOLL_CTL_DEL, p->worker->listener, NULL);
    p->listening = false;
    p->listen_again_ns = p->now_ns + RETRY_ACCEPT_MS * INT64_C(1000000);
}

// A connection without a client. NULL: the worker has CONNECTIONS_MAX, or there is no memory.
static struct connection *new_connection(struct worker_state *p)
{
    if (p->unused_count > 0)
        return p->unused[--p->unused_count];
    struct connection *s = NULL;
    if (p->made < CONNECTIONS_MAX)
        s = malloc(sizeof *s);
    if (s)
        p->made++;
    return s;
}

static void end_connection(struct worker_state *p, struct connection *s)
{
    if (s->watched)
        timers_remove(&p->timers, &s->timer);
    close(s->fd); // close() also takes it out of the epoll set
    p->unused[p->unused_count++] = s;
    if (!p->listening)
        p->listen_again_ns = p->now_ns; // there is room again
}

// Goes on with a connection. When the connection has to wait for the first time, it gets into
// the epoll set.
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

// Takes `most` connections, or fewer. Returns how many; errno says why there were no more.
static int accept_some(struct worker_state *p, int most)
{
    for (int count = 0; count < most; count++) {
        struct connection *s = new_connection(p);
        if (!s) {
            errno = ENOMEM;
            return count;
        }
        int fd = accept_one(p);
        if (fd < 0) {
            p->unused[p->unused_count++] = s;
            return count;
        }
        connection_begin(s, fd, p->now_ns + REQUEST_MS * INT64_C(1000000));
        serve(p, s);
    }
    return most;
}

static void wake_for_connections(struct worker_state *p)
{
    stats_count(&p->line->wakeups);
    if (accept_some(p, ACCEPTS) > 0 || errno == ECONNABORTED)
        return;
    if (errno == EAGAIN)
        stats_count(&p->line->vain); // another worker was faster
    else if (errno != EINTR)
        pause_listening(p); // no descriptor, or no room: the client waits in the kernel's queue
}

static void expire(struct worker_state *p)
{
    while (p->timers.count && p->timers.heap[0]->at_ns <= p->now_ns) {
        struct connection *s = (struct connection *)p->timers.heap[0];
        connection_expire(s, &p->host);
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
    return ms_until(until_ns, p->now_ns);
}

// ---- the end -------------------------------------------------------------------------------

// Does the same as drain_alone(), for many clients at once.
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
        pause_listening(p);
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

// Gets what the worker needs. False: there is no descriptor or no memory now.
static bool prepare(struct worker_state *p)
{
    struct epoll_event stop = {EPOLLIN, {.ptr = NULL}};
    p->unused = calloc(CONNECTIONS_MAX, sizeof(struct connection *));
    p->timers.heap = calloc(CONNECTIONS_MAX, sizeof(struct timer *));
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!p->unused || !p->timers.heap || p->epoll < 0 ||
        epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->worker->stop_fd, &stop))
        return false;
    if (p->worker->pinned)
        pin(p->worker->number);
    p->host = (struct host){p->worker->number, getpid(), gettid(), p->worker->stop_fd,
                            p->worker->stats};
    p->line->tid = p->host.tid;
    p->line->pid = p->host.pid;
    return true;
}

static void clean_up(struct worker_state *p)
{
    if (p->epoll >= 0)
        close(p->epoll);
    while (p->unused_count > 0)
        free(p->unused[--p->unused_count]);
    free(p->unused);
    free(p->timers.heap);
}

void worker_run(const struct worker *worker)
{
    struct worker_state state = {.worker = worker,
                                 .line = &worker->stats->line[worker->number - 1]};
    while (!prepare(&state)) {
        fprintf(stderr, "worker %d cannot begin: %s\n", worker->number, strerror(errno));
        clean_up(&state);
        pause_accepting(&state);
        if (ending(&state))
            return;
    }
    if (worker->wait == IN_ACCEPT)
        sleep_in_accept(&state);
    else
        sleep_in_epoll(&state);
    clean_up(&state);
}
