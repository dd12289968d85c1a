// worker.c: see worker.h. Read sleep_in_accept() first, then sleep_in_epoll() and
// accept_some(). In drain_alone() and drain() a worker ends. What a worker has, and how it gets
// that, is in parts/worker_state.c.
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "worker_state.h"

#define EVENTS           64   // that one epoll_wait() may bring
#define ACCEPTS          1    // connections taken for one wake-up: other workers take the rest
#define RETRY_ACCEPT_MS  500  // after accept() found no free descriptor
#define REQUEST_MS       5000 // within this time a request has to come
#define REQUEST_ALONE_MS 1000 // the same in accept(), where all other clients wait meanwhile

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
        poll(&ready, 1, timers_sleep_ms(until_ns, now));
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
    while (timers_next_ns(&p->timers) <= p->now_ns) {
        struct connection *s = (struct connection *)p->timers.heap[0];
        connection_expire(s, &p->host);
        end_connection(p, s);
    }
}

// How long epoll_wait() may sleep, in milliseconds; -1: until something happens.
static int sleep_ms_at_most(const struct worker_state *p)
{
    int64_t until_ns = timers_next_ns(&p->timers);
    if (!p->listening && !p->ending && !p->worker->stuck && p->listen_again_ns < until_ns)
        until_ns = p->listen_again_ns;
    if (p->ending && p->end_ns < until_ns)
        until_ns = p->end_ns;
    return timers_sleep_ms(until_ns, p->now_ns);
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

void worker_run(const struct worker *worker)
{
    struct worker_state state = {.worker = worker,
                                 .line = &worker->stats->line[worker->number - 1]};
    while (!worker_prepare(&state)) {
        fprintf(stderr, "worker %d cannot begin: %s\n", worker->number, strerror(errno));
        worker_clean_up(&state);
        pause_accepting(&state);
        if (ending(&state))
            return;
    }
    if (worker->wait == IN_ACCEPT)
        sleep_in_accept(&state);
    else
        sleep_in_epoll(&state);
    worker_clean_up(&state);
}
