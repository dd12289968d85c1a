// worker_state.c: see worker_state.h.
#include "worker_state.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net.h"

// Lets the worker run on one CPU only: the one whose connections it gets.
static void pin(int number)
{
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((size_t)(number - 1) % (size_t)sysconf(_SC_NPROCESSORS_ONLN), &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus))
        fprintf(stderr, "worker %d cannot be pinned to a CPU: %s\n", number, strerror(errno));
}

bool worker_prepare(struct worker_state *p)
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

void worker_clean_up(struct worker_state *p)
{
    if (p->epoll >= 0)
        close(p->epoll);
    while (p->unused_count > 0)
        free(p->unused[--p->unused_count]);
    free(p->unused);
    free(p->timers.heap);
}

int ending(const struct worker_state *p)
{
    return atomic_load_explicit(&p->worker->stats->ending, memory_order_relaxed);
}

int64_t end_ns(struct worker_state *p)
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

void set_blocking(int fd, bool blocking)
{
    int flags = fcntl(fd, F_GETFL);
    if (blocking)
        fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    else
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

struct connection *new_connection(struct worker_state *p)
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
