// model_loop.c: one thread and one epoll set, as Redis and Node.js have it. The thread sleeps
// in epoll_wait() until any of the connections has something to do, and never waits for one of
// them: a request that has to wait gets a timer, and the loop goes on. While a request
// computes, there is no other thread to go on: then all clients wait.
//
// Read event_loop() first, then serve(). What becomes of one connection is in nonblocking.c.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model.h"
#include "net.h"
#include "nonblocking.h"
#include "smaller.h"
#include "timers.h"

#define EVENTS      256 // one epoll_wait() reports at most so many
#define REFUSED_MAX 256 // connections over the limit, while they read their 503

struct loop {
    struct worker *worker;
    int epoll;
    int source; // can be read when there is a new connection: the listener; in readers a pipe
    int (*accept_from)(int source); // takes that connection
    uint32_t connections_max;
    struct timers timers; // one for each connection: the next deadline is on top
    int64_t now_ns;       // the time of this round
    int64_t accept_ns;    // no accept() before this time
    int64_t stop_ns;      // when the loop ends, even if clients still wait for an answer
    bool accepting;       // epoll watches the source
    bool stopping;        // there was a signal to stop
    struct buffers *buffers;
    struct disk_thread disk; // with --disk-thread
};

// Calls go_on(c): connection_serve(), connection_timeout(), connection_written() or
// connection_refuse(). Then tells epoll and the timers what the connection waits for next, or
// closes it if it is over.
static void serve(struct loop *loop, struct connection *c, bool (*go_on)(struct connection *))
{
    uint32_t watched = c->events;
    bool good = go_on(c);
    struct epoll_event event = {c->events, {.ptr = c}};
    if (good && c->events != watched)
        good = epoll_ctl(loop->epoll, EPOLL_CTL_MOD, c->fd, &event) == 0;
    if (!good) {
        timers_remove(&loop->timers, &c->timer);
        connection_close(c);
    } else if (c->limit_ms > 0) {
        timers_move(&loop->timers, &c->timer, loop->now_ns + c->limit_ms * INT64_C(1000000));
    }
}

// Accepts one connection. True: there will be no more, the loop has to stop.
static bool accept_one(struct loop *loop)
{
    int fd = loop->accept_from(loop->source);
    if (fd == LOOP_STOP)
        return true;
    if (fd < 0) {
        if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
            loop->accept_ns = loop->now_ns + RETRY_MS * INT64_C(1000000); // no free descriptor
        return false;
    }
    struct connection *c = connection_open(fd, loop->worker, loop->buffers);
    struct epoll_event event = {EPOLLIN, {.ptr = c}};
    if (!c)
        return false; // there is no memory
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event)) {
        connection_close(c);
        return false;
    }
    timers_add(&loop->timers, &c->timer, loop->now_ns + c->limit_ms * INT64_C(1000000));
    if (c->refused)
        serve(loop, c, connection_refuse);
    return false;
}

// The disk has the records of these clients, or does not take them.
static void take_back(struct loop *loop)
{
    struct disk_job *job;
    while ((job = disk_thread_take(&loop->disk))) {
        if (job->client)
            serve(loop, job->client, connection_written);
        free(job);
    }
}

// Epoll watches the source of new connections as long as there is room for another one.
static void watch_source(struct loop *loop)
{
    bool room = loop->timers.count < loop->connections_max && loop->accept_ns <= loop->now_ns;
    struct epoll_event event = {0, {.ptr = &loop->source}};
    if (room)
        event.events = EPOLLIN;
    if (!loop->stopping && room != loop->accepting &&
        epoll_ctl(loop->epoll, EPOLL_CTL_MOD, loop->source, &event) == 0)
        loop->accepting = room;
}

// Closes the connections whose clients wait for no answer; with `all`, the others too.
static void close_connections(struct loop *loop, bool all)
{
    for (uint32_t i = 0; i < loop->timers.count;) {
        struct connection *c = (struct connection *)loop->timers.heap[i++];
        if (all || !connection_is_busy(c)) {
            timers_remove(&loop->timers, &c->timer);
            connection_close(c);
            i = 0; // another timer has taken its place in the heap: begin again
        }
    }
}

// Stops accepting. Clients that wait for an answer have STOP_MS more.
static void begin_to_stop(struct loop *loop, int stop_fd)
{
    struct signalfd_siginfo signal;
    if (stop_fd >= 0 && read(stop_fd, &signal, sizeof signal) < 0)
        return;
    loop->stopping = true;
    loop->accepting = false;
    loop->stop_ns = loop->now_ns + STOP_MS * INT64_C(1000000);
    atomic_store(&loop->worker->all->stopping, true);
    close(loop->source);
    close_connections(loop, false);
}

// How long epoll_wait() may sleep, in milliseconds; -1: until something happens. While the loop
// does not accept, it looks again after RETRY_MS.
static int sleep_ms_max(const struct loop *loop)
{
    int64_t until_ns = timers_next_ns(&loop->timers);
    if (!loop->accepting)
        until_ns = earlier(until_ns, loop->now_ns + RETRY_MS * INT64_C(1000000));
    return timers_sleep_ms(until_ns, loop->now_ns);
}

// What epoll reports has a pointer in `data.ptr`. It points to a struct connection, to
// loop->source (there are new connections), to loop->stopping (there was a signal to stop) or
// to loop->disk (a record is written).
static void prepare(struct loop *loop, int stop_fd)
{
    struct epoll_event stop = {EPOLLIN, {.ptr = &loop->stopping}};
    struct epoll_event source = {0, {.ptr = &loop->source}};
    struct epoll_event disk = {EPOLLIN, {.ptr = &loop->disk}};
    loop->connections_max = (uint32_t)loop->worker->all->settings.connections + REFUSED_MAX;
    loop->timers.heap = calloc(loop->connections_max, sizeof *loop->timers.heap);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->buffers = calloc(1, sizeof *loop->buffers);
    if (!loop->timers.heap || !loop->buffers || loop->epoll < 0 ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->source, &source) ||
        (stop_fd >= 0 && epoll_ctl(loop->epoll, EPOLL_CTL_ADD, stop_fd, &stop)))
        die("cannot set up epoll: %s", strerror(errno));
    if (!loop->worker->all->settings.disk_thread)
        return;
    loop->buffers->disk = &loop->disk;
    if (!disk_thread_start(&loop->disk, (int)loop->connections_max) ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->disk.done_fd, &disk))
        die("cannot start the disk thread: %s", strerror(errno));
}

void event_loop(struct worker *worker, int source, int (*accept_from)(int source), int stop_fd)
{
    struct loop loop = {.worker = worker, .source = source, .accept_from = accept_from};
    struct epoll_event events[EVENTS];
    prepare(&loop, stop_fd);
    while (!loop.stopping || (loop.timers.count > 0 && loop.now_ns < loop.stop_ns)) {
        bool stop = false, written = false;
        loop.now_ns = now_ns();
        watch_source(&loop);
        int count = epoll_wait(loop.epoll, events, EVENTS, sleep_ms_max(&loop));
        loop.now_ns = now_ns();
        for (int i = 0; i < count; i++) {
            void *what = events[i].data.ptr; // see prepare()
            if (what == &loop.stopping)
                stop = true;
            else if (what == &loop.source)
                stop = accept_one(&loop) || stop;
            else if (what == &loop.disk)
                written = true; // later: take_back() may end a client of these events
            else
                serve(&loop, what, connection_serve);
        }
        if (written)
            take_back(&loop);
        while (timers_next_ns(&loop.timers) <= loop.now_ns)
            serve(&loop, (struct connection *)loop.timers.heap[0], connection_timeout);
        if (stop && loop.stopping)
            break; // the second signal
        if (stop)
            begin_to_stop(&loop, stop_fd);
    }
    close_connections(&loop, true);
    if (loop.buffers->disk)
        disk_thread_stop(&loop.disk);
    close(loop.epoll);
    free(loop.timers.heap);
    free(loop.buffers);
}

static int accept_from_listener(int listener)
{
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void run_loop(struct workers *workers, int listener, int stop_fd)
{
    net_set_nonblocking(listener);
    event_loop(&workers->worker[0], listener, accept_from_listener, stop_fd);
}
