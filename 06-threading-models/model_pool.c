// model_pool.c: a reader in front, N workers behind, a bounded queue between them: RAMCloud,
// Java's executors. The reader accepts, watches all connections with epoll, and reads and
// parses requests; whole ones it puts into the queue. Whichever worker is free takes the next
// one, runs the handler, writes the answer, and hands the connection back. So it is work that
// is balanced, request by request. If the queue is full, the reader says so at once: 503.
//
// At any moment a connection belongs to one thread: to the reader, or, while `busy`, to the
// queue and then a worker. The queues' mutexes hand it over.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handler.h"
#include "model.h"
#include "net.h"
#include "queue.h"
#include "timers.h"

#define EVENTS      256 // that one epoll_wait() may bring
#define REFUSED_MAX 256 // connections over the limit, while they read their 503
#define PAUSE_MS    100 // after accept() found no free descriptor

struct client {
    struct timer timer; // when the reader looks at the deadline: never later
    int fd;
    uint32_t events; // that epoll is asked for; 0: it does not know the connection
    int64_t deadline_ns;
    struct request request; // while busy
    char *in, *out;         // bytes not used yet, bytes not sent yet; NULL: none
    unsigned in_length, out_at, out_length; // what is left of `out` is between the two
    bool busy;                              // a worker has it, or will
    bool head_began;                        // `in` is a part of a head
    bool ending;                            // when `out` is sent, close
    bool lingering, broken, refused;
};

struct pool {
    struct crew *crew;
    struct queue jobs;   // busy clients, for the workers
    struct queue done;   // those that come back to the reader, and
    int done_fd;         // an eventfd, written when there are any
    int epoll, listener; // all from here is the reader's
    bool accepting;
    int64_t now_ns, stop_ns; // stop_ns: NEVER, or when the last must have their answers
    int64_t pause_until_ns;  // no accept() before
    struct timers timers;    // one for each connection
    char in[REQUEST_BYTES];
};

struct post { // where a worker stands
    pthread_t thread;
    struct pool *pool;
    struct worker *worker;
};

// Copies bytes that have to wait into memory of the connection's own.
static char *keep(struct client *c, const char *bytes, size_t length)
{
    char *copy = length ? malloc(length) : NULL;
    c->broken = c->broken || (length && !copy);
    return copy ? memcpy(copy, bytes, length) : NULL;
}

// Sends what the kernel takes; nobody waits for the rest, which the reader sends later.
static void send_answer(struct client *c, const struct http_out *out)
{
    ssize_t sent = send(c->fd, out->bytes, out->length, MSG_NOSIGNAL);
    c->broken = c->broken || (sent < 0 && errno != EAGAIN && errno != EINTR);
    c->out_at = 0;
    c->out_length = out->length - (sent > 0 ? (size_t)sent : 0);
    c->out = keep(c, out->bytes + out->length - c->out_length, c->out_length);
}

// ---- a worker ------------------------------------------------------------------------------

static void *work(void *argument)
{
    struct post *post = argument;
    struct pool *pool = post->pool;
    struct client *c;
    struct answer answer;
    char bytes[ANSWER_ROOM];
    uint64_t one = 1;
    bool first;
    while ((c = queue_take(&pool->jobs))) {
        struct http_out out = {bytes, sizeof bytes, 0, false};
        handle(&c->request, post->worker, &answer);
        if (answer.wait_ms)
            sleep_ms(answer.wait_ms); // this worker does nothing else meanwhile
        c->ending = !c->request.keep_alive || atomic_load(&pool->crew->stopping);
        answer_put(&out, &answer, &c->request, !c->ending);
        send_answer(c, &out);
        // There is room for all clients; the first to come wakes the reader.
        if (queue_put(&pool->done, c, &first) && first &&
            write(pool->done_fd, &one, sizeof one) < 0)
            die("cannot write to an eventfd: %s", strerror(errno));
    }
    return NULL;
}

// ---- the reader: one connection ------------------------------------------------------------

static void drop(struct pool *pool, struct client *c)
{
    timers_remove(&pool->timers, &c->timer);
    if (!c->refused)
        crew_leave(pool->crew);
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

// 0: not at all. That has to be said with DEL: a reset would be reported all the same.
static void watch(struct pool *pool, struct client *c, uint32_t events)
{
    struct epoll_event event = {events, {.ptr = c}};
    int operation = !events ? EPOLL_CTL_DEL : !c->events ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (events != c->events && epoll_ctl(pool->epoll, operation, c->fd, &event) && events)
        c->broken = true;
    c->events = events;
}

static void set_deadline(struct pool *pool, struct client *c, int64_t ms)
{
    c->deadline_ns = pool->now_ns + ms * 1000000;
    if (c->deadline_ns < c->timer.at_ns) // a later one is noticed when the timer comes
        timers_move(&pool->timers, &c->timer, c->deadline_ns);
}

// What has become of a connection that is the reader's: what it waits for now, and how long.
static void settle(struct pool *pool, struct client *c)
{
    bool linger = c->ending && !c->out && !c->lingering;
    if (linger && shutdown(c->fd, SHUT_WR))
        c->broken = true;
    c->lingering = c->lingering || linger; // the client is still to read our last answer
    if (c->out || linger)
        set_deadline(pool, c, linger ? CREW_LINGER_MS : CREW_STALL_MS);
    if (!c->broken)
        watch(pool, c, c->out ? EPOLLOUT : EPOLLIN);
    if (c->broken)
        drop(pool, c);
}

// There is no worker for it soon: says so, and the connection stays.
static void refuse(struct pool *pool, struct client *c, bool keep_alive)
{
    char bytes[ANSWER_ROOM];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    atomic_fetch_add(&pool->crew->refused, 1);
    c->ending = !keep_alive;
    answer_put_busy(&out, &c->request, keep_alive);
    send_answer(c, &out);
}

// Finds the next whole request in the bytes and gives it to the workers; keeps the others.
static void advance(struct pool *pool, struct client *c, const char *bytes, size_t length)
{
    const struct settings *settings = &pool->crew->settings;
    size_t part = 1;
    bool first, began = c->head_began;
    while (!c->busy && !c->out && !c->ending && !c->broken && length &&
           (part = request_read(bytes, length, &c->request)) > 0) {
        bytes += part;
        length -= part;
        if (queue_is_full(&pool->jobs))
            refuse(pool, c, c->request.keep_alive);
        else
            c->busy = true;
    }
    char *in = keep(c, bytes, c->ending ? 0 : length);
    free(c->in);
    c->in = in;
    c->in_length = c->in ? length : 0;
    c->head_began = !part;
    if (c->busy) {
        queue_put(&pool->jobs, c, &first); // from here on it is not ours
        return;
    }
    c->ending = c->ending || pool->stop_ns != NEVER;
    if (!c->head_began || !began)
        set_deadline(pool, c, c->head_began ? settings->head_ms : settings->idle_ms);
    settle(pool, c);
}

static void advance_kept(struct pool *pool, struct client *c)
{
    memcpy(pool->in, c->in ? c->in : "", c->in_length);
    advance(pool, c, pool->in, c->in_length);
}

static void receive(struct pool *pool, struct client *c)
{
    ssize_t got = read(c->fd, pool->in + c->in_length, REQUEST_BYTES - c->in_length);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        drop(pool, c);
    } else if (!c->lingering) {
        memcpy(pool->in, c->in ? c->in : "", c->in_length);
        advance(pool, c, pool->in, c->in_length + (size_t)got);
    }
}

static void send_rest(struct pool *pool, struct client *c)
{
    struct http_out rest = {c->out + c->out_at, 0, c->out_length, false};
    char *before = c->out;
    send_answer(c, &rest);
    free(before);
    c->out ? settle(pool, c) : advance_kept(pool, c);
}

static void serve(struct pool *pool, struct client *c, uint32_t events)
{
    if (c->busy)
        watch(pool, c, 0); // what has come waits in the kernel until the worker is done
    else if (c->out && !(events & (EPOLLERR | EPOLLHUP)))
        send_rest(pool, c);
    else
        receive(pool, c);
}

// The timer of a connection has come.
static void expire(struct pool *pool, struct client *c)
{
    static const struct answer late = {.status = 408, .text = "late\n", .length = 5};
    char bytes[ANSWER_ROOM];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    if (c->busy || c->deadline_ns > pool->now_ns) { // it has moved
        timers_move(&pool->timers, &c->timer, c->busy ? NEVER : c->deadline_ns);
    } else if (c->head_began && !c->out && !c->lingering && pool->stop_ns == NEVER) {
        c->ending = true;
        answer_put(&out, &late, &(struct request){0}, false); // whose method nobody knows
        send_answer(c, &out);
        settle(pool, c);
    } else {
        drop(pool, c);
    }
}

// ---- the reader: all of them ---------------------------------------------------------------

static void open_client(struct pool *pool, int fd)
{
    struct client *c = calloc(1, sizeof *c);
    int on = 1;
    bool room = crew_join(pool->crew);
    if (!c) {
        close(fd);
        crew_leave(pool->crew);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // we collect answers ourselves
    c->fd = fd;
    timers_add(&pool->timers, &c->timer, NEVER);
    if (!room) {
        c->refused = true; // while it lingers it takes no room that others could have
        crew_leave(pool->crew);
        refuse(pool, c, false);
    }
    advance(pool, c, "", 0);
}

static uint32_t conns_max(const struct pool *pool)
{
    return (uint32_t)pool->crew->settings.conns + REFUSED_MAX;
}

static void accept_one(struct pool *pool)
{
    int fd = accept4(pool->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        open_client(pool, fd);
    else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
        pool->pause_until_ns = pool->now_ns + PAUSE_MS * INT64_C(1000000);
}

// The workers are done with these.
static void take_back(struct pool *pool)
{
    uint64_t any;
    struct client *c;
    if (read(pool->done_fd, &any, sizeof any) < 0)
        return;
    while ((c = queue_try(&pool->done))) {
        c->busy = false;
        advance_kept(pool, c);
    }
}

// Stops accepting; all timers come now: who is not busy is closed.
static void stop(struct pool *pool, int stop_fd)
{
    struct signalfd_siginfo signal;
    if (read(stop_fd, &signal, sizeof signal) < 0)
        return;
    bool again = pool->stop_ns != NEVER;
    pool->stop_ns = again ? 0 : pool->now_ns + CREW_STOP_MS * INT64_C(1000000);
    if (again)
        return;
    atomic_store(&pool->crew->stopping, true);
    close(pool->listener);
    for (uint32_t i = 0; i < pool->timers.count; i++) {
        struct client *c = (struct client *)pool->timers.heap[i];
        c->timer.at_ns = pool->now_ns;
        if (!c->busy && !c->out && !c->lingering)
            c->deadline_ns = pool->now_ns;
    }
}

// How long epoll may sleep, in milliseconds; -1: until something happens.
static int sleep_for(const struct pool *pool)
{
    int64_t until_ns = pool->timers.count ? pool->timers.heap[0]->at_ns : NEVER;
    until_ns = pool->stop_ns < until_ns ? pool->stop_ns : until_ns;
    if (pool->pause_until_ns > pool->now_ns && pool->pause_until_ns < until_ns)
        until_ns = pool->pause_until_ns;
    if (until_ns == NEVER)
        return -1;
    return until_ns > pool->now_ns ? (int)((until_ns - pool->now_ns) / 1000000 + 1) : 0;
}

// Listens, or looks away while there is no room: the next client waits in the kernel's queue.
static void watch_listener(struct pool *pool)
{
    bool want = pool->pause_until_ns <= pool->now_ns && pool->timers.count < conns_max(pool);
    struct epoll_event event = {want ? EPOLLIN : 0, {.ptr = &pool->listener}};
    if (pool->stop_ns == NEVER && want != pool->accepting &&
        !epoll_ctl(pool->epoll, EPOLL_CTL_MOD, pool->listener, &event))
        pool->accepting = want;
}

// Returns when all connections are closed, or have to be.
static void read_for_all(struct pool *pool, int stop_fd)
{
    struct epoll_event events[EVENTS];
    while (pool->stop_ns == NEVER || (pool->timers.count && pool->now_ns < pool->stop_ns)) {
        bool back = false;
        pool->now_ns = now_ns();
        watch_listener(pool);
        int count = epoll_wait(pool->epoll, events, EVENTS, sleep_for(pool));
        pool->now_ns = now_ns();
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &pool->listener)
                accept_one(pool);
            else if (events[i].data.ptr == &pool->done_fd)
                back = true; // not yet: further events may be about those
            else if (events[i].data.ptr == pool)
                stop(pool, stop_fd);
            else
                serve(pool, events[i].data.ptr, events[i].events);
        }
        if (back)
            take_back(pool);
        while (pool->timers.count && pool->timers.heap[0]->at_ns <= pool->now_ns)
            expire(pool, (struct client *)pool->timers.heap[0]);
    }
}

static void prepare(struct pool *pool, struct crew *crew, int listener, int stop_fd)
{
    struct epoll_event clients = {0, {.ptr = &pool->listener}},
                       done = {EPOLLIN, {.ptr = &pool->done_fd}},
                       stops = {EPOLLIN, {.ptr = pool}};
    *pool = (struct pool){.crew = crew, .listener = listener, .stop_ns = NEVER};
    net_set_nonblocking(listener);
    pool->timers.heap = calloc(conns_max(pool), sizeof *pool->timers.heap);
    pool->epoll = epoll_create1(EPOLL_CLOEXEC);
    pool->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!pool->timers.heap || pool->epoll < 0 || pool->done_fd < 0 ||
        !queue_open(&pool->jobs, crew->settings.queue) ||
        !queue_open(&pool->done, (int)conns_max(pool)) ||
        epoll_ctl(pool->epoll, EPOLL_CTL_ADD, listener, &clients) ||
        epoll_ctl(pool->epoll, EPOLL_CTL_ADD, pool->done_fd, &done) ||
        epoll_ctl(pool->epoll, EPOLL_CTL_ADD, stop_fd, &stops))
        die("cannot set up a pool: %s", strerror(errno));
}

static void run(struct crew *crew, int listener, int stop_fd)
{
    static struct pool pool; // a worker that we do not wait for may still use these
    static struct post *posts;
    int count = crew->worker_count;
    posts = calloc((size_t)count, sizeof *posts);
    prepare(&pool, crew, listener, stop_fd);
    for (int i = 0; i < count; i++) {
        if (!posts)
            die("no memory for %d workers", count);
        posts[i] = (struct post){.pool = &pool, .worker = &crew->workers[i]};
        if (crew_thread(&posts[i].thread, crew, work, &posts[i]))
            die("cannot start worker %d", i);
    }
    read_for_all(&pool, stop_fd);
    queue_close(&pool.jobs);
    bool cut_off = pool.timers.count; // the end of the program ends those who still work
    for (int i = 0; i < count; i++)
        cut_off ? pthread_detach(posts[i].thread) : pthread_join(posts[i].thread, NULL);
    if (cut_off)
        return;
    queue_free(&pool.jobs);
    queue_free(&pool.done);
    close(pool.done_fd);
    close(pool.epoll);
    free(pool.timers.heap);
    free(posts);
}

const struct model model_pool = {"pool", "a reader, a queue, and N workers in threads", MANY,
                                 run};
