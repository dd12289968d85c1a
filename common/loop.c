// loop.c: all connections, see loop.h. Read loop_serve() first; one connection is in conn.c.
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "conn.h"
#include "measure.h"
#include "net.h"

#define EVENTS          256 // that one epoll_wait() may bring
#define ACCEPTS         64  // connections accepted before the others have their turn
#define RETRY_ACCEPT_MS 500 // after accept() found no free descriptor
#define SPARE_FILES     50  // that a program needs beside its connections

int64_t loop_from_now(const struct loop *loop, int64_t ms)
{
    if (ms == NEVER)
        return NEVER;
    return loop->now_ns + ms * 1000000;
}

static int accept_one(const struct loop *loop)
{
    if (loop->server->accept)
        return loop->server->accept(loop->listener);
    return accept4(loop->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void accept_some(struct loop *loop)
{
    for (int i = 0; i < ACCEPTS && loop->timers.count < (uint32_t)loop->server->conns_max;
         i++) {
        int fd = accept_one(loop);
        if (fd >= 0)
            conn_open(loop, fd);
        else if (errno == ECONNABORTED)
            continue;
        else {
            if (errno != EAGAIN) // no descriptor, no memory: there may be some later
                loop->retry_accept_ns = loop_from_now(loop, RETRY_ACCEPT_MS);
            return;
        }
    }
}

// Listens, or looks away while there is no room: the next client waits in the kernel's queue.
static void watch_listener(struct loop *loop)
{
    bool want = !loop->stopping && loop->retry_accept_ns <= loop->now_ns &&
                loop->timers.count < (uint32_t)loop->server->conns_max;
    struct epoll_event event = {0, {.ptr = &loop->listener}};
    if (want)
        event.events = EPOLLIN;
    if (want != loop->accepting &&
        !epoll_ctl(loop->epoll, EPOLL_CTL_MOD, loop->listener, &event))
        loop->accepting = want;
}

// The program is to stop. The timers of all connections come now, and each connection is told;
// at the second signal they end at once.
static void stop(struct loop *loop, int stop_fd)
{
    struct signalfd_siginfo signal;
    loop->stop_ns = loop->now_ns;
    if (!loop->stopping)
        loop->stop_ns = loop_from_now(loop, LOOP_STOP_MS);
    if (read(stop_fd, &signal, sizeof signal) < 0 || loop->stopping)
        return;
    loop->stopping = true;
    close(loop->listener);
    for (uint32_t i = 0; i < loop->timers.count; i++)
        loop->timers.heap[i]->at_ns = loop->now_ns;
}

static struct conn *first(const struct loop *loop)
{
    if (loop->timers.count == 0)
        return NULL;
    return (struct conn *)loop->timers.heap[0];
}

static bool is_due(const struct loop *loop)
{
    return timers_next_ns(&loop->timers) <= loop->now_ns;
}

// How long epoll may sleep, in milliseconds; -1: until something happens.
static int sleep_for(const struct loop *loop)
{
    int64_t until_ns = timers_next_ns(&loop->timers);
    if (loop->at_once)
        return 0;
    if (!loop->accepting && loop->retry_accept_ns && loop->retry_accept_ns < until_ns)
        until_ns = loop->retry_accept_ns;
    if (loop->stopping && loop->stop_ns < until_ns)
        until_ns = loop->stop_ns;
    return timers_sleep_ms(until_ns, loop->now_ns);
}

static void start(struct loop *loop, int stop_fd)
{
    struct epoll_event clients = {0, {.ptr = &loop->listener}},
                       stops = {EPOLLIN, {.ptr = loop}};
    size_t conns_max = (size_t)loop->server->conns_max;
    raise_file_limit((long)conns_max + SPARE_FILES);
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
                conn_serve(events[i].data.ptr, events[i].events);
        }
        // Not more than there are: one that asks to be called at once has its turn next round.
        for (uint32_t i = loop->timers.count; i > 0 && is_due(loop); i--)
            conn_expire(first(loop));
        loop->at_once = server->round && server->round();
    }
    while (first(loop))
        conn_drop(first(loop));
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
