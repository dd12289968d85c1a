// leg_loop.c: all legs, see leg.h. Read leg_run() first.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "leg_inside.h"
#include "net.h"

#define EVENTS          256 // that one epoll_wait() may bring
#define ACCEPTS         64  // clients accepted before the others have their turn
#define RETRY_ACCEPT_MS 100 // after accept() found no free descriptor

static int listener;
static bool accepting, stopping;
static int64_t tick_ns, stop_ns;
static long accepted;

bool leg_is_stopping(void)
{
    return stopping;
}

// What a relay passes on must not wait for an acknowledgement.
static void send_at_once(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static struct leg *leg_begin(const struct leg_kind *kind, int fd, uint32_t events)
{
    struct leg *leg = calloc(1, kind->bytes);
    struct epoll_event event = {events, {.ptr = leg}};
    if (!leg || legs.timers.count == (uint32_t)legs.program->legs_max ||
        epoll_ctl(legs.epoll, EPOLL_CTL_ADD, fd, &event)) {
        free(leg);
        close(fd);
        errno = EMFILE;
        return NULL;
    }
    leg->kind = kind;
    leg->fd = fd;
    leg->events = leg->watched = events;
    leg->pipe[0] = leg->pipe[1] = -1;
    leg->deadline_ns = NEVER;
    timers_add(&legs.timers, &leg->timer, NEVER);
    return leg;
}

struct leg *leg_connect(const struct leg_kind *kind, const struct sockaddr_storage *address,
                        int ms)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) &&
        errno != EINPROGRESS) {
        int saved_errno = errno;
        close(fd);
        errno = saved_errno;
        return NULL;
    }
    struct leg *leg = leg_begin(kind, fd, EPOLLOUT);
    if (!leg)
        return NULL;
    send_at_once(fd);
    leg->connecting = true;
    leg_deadline(leg, ms);
    return leg;
}

// All places are taken. If one becomes free, the next round accepts.
static void wait_for_place(void)
{
    if (!legs.program->make_place || !legs.program->make_place())
        legs.retry_accept_ns = legs.round_ns + RETRY_ACCEPT_MS * INT64_C(1000000);
}

static void accept_some(void)
{
    struct sockaddr_storage address;
    for (int i = 0; i < ACCEPTS; i++) {
        if (legs.clients >= legs.program->clients_max) {
            if (i == 0) // else it is not known whether one more waits: the next round will see
                wait_for_place();
            return;
        }
        socklen_t length = sizeof address;
        int fd = accept4(listener, (struct sockaddr *)&address, &length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && errno == ECONNABORTED)
            continue;
        if (fd < 0) {
            if (errno != EAGAIN)
                legs.retry_accept_ns = legs.round_ns + RETRY_ACCEPT_MS * INT64_C(1000000);
            return;
        }
        struct leg *leg = leg_begin(legs.program->client, fd, EPOLLIN);
        if (!leg)
            continue;
        accepted++;
        legs.clients++;
        legs.program->opened(leg, &address);
        leg_settle(leg);
    }
}

static void watch_listener(void)
{
    bool want = !stopping && legs.retry_accept_ns <= legs.round_ns;
    struct epoll_event event = {0, {.ptr = &listener}};
    if (want)
        event.events = EPOLLIN;
    if (want != accepting && !epoll_ctl(legs.epoll, EPOLL_CTL_MOD, listener, &event))
        accepting = want;
}

void leg_each(const struct leg_kind *kind, bool (*call)(struct leg *leg))
{
    for (uint32_t i = 0; i < legs.timers.count; i++) {
        struct leg *leg = (struct leg *)legs.timers.heap[i];
        if (leg->kind == kind && !leg->broken && !call(leg))
            return;
    }
}

static bool tell_to_stop(struct leg *leg)
{
    legs.program->stop(leg);
    return true;
}

static void begin_to_stop(int stop_fd)
{
    struct signalfd_siginfo signal;
    if (read(stop_fd, &signal, sizeof signal) < 0)
        return;
    stop_ns = legs.round_ns; // at the second signal all ends at once
    if (!stopping)
        stop_ns = legs.round_ns + legs.program->drain_ms * INT64_C(1000000);
    if (!stopping)
        close(listener);
    stopping = true;
    if (legs.program->stop)
        leg_each(legs.program->client, tell_to_stop);
}

static int sleep_ms_for(void)
{
    int64_t until_ns = tick_ns;
    if (legs.timers.count && legs.timers.heap[0]->at_ns < until_ns)
        until_ns = legs.timers.heap[0]->at_ns;
    if (!accepting && !stopping && legs.retry_accept_ns < until_ns)
        until_ns = legs.retry_accept_ns;
    if (stopping && stop_ns < until_ns)
        until_ns = stop_ns;
    if (until_ns == NEVER)
        return -1;
    if (until_ns <= legs.round_ns)
        return 0;
    return (int)((until_ns - legs.round_ns + 999999) / 1000000);
}

static void start(int stop_fd)
{
    struct epoll_event for_clients = {0, {.ptr = &listener}},
                       for_stop = {EPOLLIN, {.ptr = &legs.epoll}};
    legs.timers.heap = calloc((size_t)legs.program->legs_max, sizeof *legs.timers.heap);
    legs.epoll = epoll_create1(EPOLL_CLOEXEC);
    net_set_nonblocking(listener);
    send_at_once(listener); // the connections that it accepts inherit it
    if (!legs.timers.heap || legs.epoll < 0 ||
        epoll_ctl(legs.epoll, EPOLL_CTL_ADD, listener, &for_clients) ||
        epoll_ctl(legs.epoll, EPOLL_CTL_ADD, stop_fd, &for_stop))
        die("cannot set up legs.epoll: %s", strerror(errno));
}

static void run_round(int stop_fd)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(legs.epoll, events, EVENTS, sleep_ms_for());
    legs.round_ns = now_ns();
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == &listener)
            accept_some();
        else if (events[i].data.ptr == &legs.epoll)
            begin_to_stop(stop_fd);
        else
            leg_serve(events[i].data.ptr, events[i].events);
    }
    for (uint32_t i = legs.timers.count; i > 0 && legs.timers.heap[0]->at_ns <= legs.round_ns;
         i--)
        leg_expire((struct leg *)legs.timers.heap[0]);
    if (tick_ns <= legs.round_ns)
        tick_ns = legs.program->tick();
    leg_settle_all();
}

long leg_run(int fd, const struct leg_program *what)
{
    int stop_fd = net_stop_fd();
    legs.program = what;
    listener = fd;
    start(stop_fd);
    net_ready(listener);
    tick_ns = legs.round_ns = now_ns();
    while (!stopping || (legs.clients && legs.round_ns < stop_ns)) {
        legs.round_ns = now_ns();
        watch_listener();
        run_round(stop_fd);
    }
    while (legs.timers.count) {
        leg_abort((struct leg *)legs.timers.heap[0], false);
        leg_settle_all();
    }
    close(legs.epoll);
    close(stop_fd);
    free(legs.timers.heap);
    return accepted;
}
