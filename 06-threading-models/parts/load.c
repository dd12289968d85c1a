// load.c: see load.h. Read readable() first: for most answers it is all that happens.
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "measure.h"
#include "net.h"
#include "smaller.h"

#define EVENTS       128
#define NS_PER_MS    1e6
#define LONGEST_WAIT 60000

struct load_connection {
    struct timer timer; // while the connection pauses: when it asks next
    struct load_target *target;
    int fd;
    enum { CONNECTING, WAITING, PAUSING, DONE } state;
    bool tried;               // the first request has come to an end, good or bad
    int served_run;           // the last run in which an answer came
    int64_t asked_ns;         // when the request was sent
    struct exchange exchange; // the answer that the connection waits for
};

uint64_t load_errors(const struct load_target *target)
{
    uint64_t sum = 0;
    for (int i = 0; i < LOAD_ERRORS; i++)
        sum += target->errors[i];
    return sum;
}

// ---- one connection ------------------------------------------------------------------------

static void drop(struct load_connection *c)
{
    // Ends with a reset. Else each connection would keep its port for a minute (TIME_WAIT).
    static const struct linger reset = {1, 0};
    if (c->fd >= 0) {
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(c->fd);
    }
    c->fd = -1;
    exchange_reset(&c->exchange);
}

// A request has come to its end, good or bad.
static void finish(struct load *load, struct load_connection *c)
{
    load->finished += c->target == load->targets;
    load->opening -= !c->tried;
    c->tried = true;
}

// The connection has nothing to do for so long; or, with LOAD_ONCE, for ever.
static void pause_for(struct load *load, struct load_connection *c, double ms, int64_t now)
{
    if (c->target->pause_ms == LOAD_ONCE) {
        c->state = DONE;
        load->done++;
    } else {
        c->state = PAUSING;
        timers_add(&load->pauses, &c->timer, now + (int64_t)(ms * NS_PER_MS));
    }
}

// A request has failed. The next one goes on a new connection.
static void failed(struct load *load, struct load_connection *c, enum load_error error)
{
    c->target->errors[error]++;
    finish(load, c);
    drop(c);
    pause_for(load, c, LOAD_RETRY_MS, now_ns());
}

static void ask(struct load *load, struct load_connection *c, int64_t now)
{
    const struct load_target *target = c->target;
    c->asked_ns = now;
    c->state = WAITING;
    if (send(c->fd, target->request, target->request_length, MSG_NOSIGNAL) !=
        (ssize_t)target->request_length)
        failed(load, c, LOAD_CLOSED);
}

static void connect_to(struct load *load, struct load_connection *c, int64_t now)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    c->asked_ns = now; // a connection that is slow to come is a slow answer
    c->fd = socket(load->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("cannot open connection %td: %s", c - load->connections + 1, strerror(errno));
    c->state = CONNECTING;
    if (connect(c->fd, (struct sockaddr *)&load->address, load->address_length) &&
        errno != EINPROGRESS)
        failed(load, c, LOAD_UNREACHABLE);
    else if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event))
        die("cannot watch connection %td: %s", c - load->connections + 1, strerror(errno));
}

static void connected(struct load *load, struct load_connection *c, int64_t now)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length) || error) {
        failed(load, c, LOAD_UNREACHABLE);
        return;
    }
    epoll_ctl(load->epoll, EPOLL_CTL_MOD, c->fd, &event);
    int64_t began_ns = c->asked_ns;
    ask(load, c, now);
    c->asked_ns = began_ns;
}

// An answer is whole: counts it, and asks again.
static void answered(struct load *load, struct load_connection *c, int status, bool last)
{
    struct load_target *target = c->target;
    int64_t now = now_ns();
    finish(load, c);
    if (c->served_run != load->run)
        target->served++;
    c->served_run = load->run;
    uint64_t ns = (uint64_t)(now - c->asked_ns);
    if (status >= 200 && status < 300)
        histogram_add(&target->latency, ns);
    else if (status == 503)
        target->errors[LOAD_OVERLOADED]++;
    else
        target->errors[LOAD_REFUSED]++;
    if (status >= 300 && ns > target->slowest_error_ns)
        target->slowest_error_ns = ns;
    if (last)
        drop(c);
    if (target->pause_ms > 0)
        pause_for(load, c, target->pause_ms, now);
    else if (status >= 300)
        pause_for(load, c, LOAD_RETRY_MS, now);
    else if (last)
        connect_to(load, c, now);
    else
        ask(load, c, now);
}

static void readable(struct load *load, struct load_connection *c)
{
    const char *why;
    size_t kept = exchange_restore(&c->exchange, load->bytes);
    ssize_t got = read(c->fd, load->bytes + kept, EXCHANGE_READ_BYTES);
    if (got < 0 && errno == EAGAIN)
        return;
    if (c->state != WAITING || got < 0) {
        if (c->state == WAITING) {
            failed(load, c, LOAD_CLOSED);
            return;
        }
        if (got > 0) // an answer to no request
            c->target->errors[LOAD_MALFORMED]++;
        drop(c); // between two requests the server has the right to close
        return;
    }
    switch (exchange_take(&c->exchange, load->bytes, kept + (size_t)got, &c->target->pattern,
                          &why)) {
    case EXCHANGE_MORE:
        break;
    case EXCHANGE_ANSWERED:
        answered(load, c, c->exchange.status, c->exchange.last);
        break;
    case EXCHANGE_CLOSED:
        failed(load, c, LOAD_CLOSED);
        break;
    case EXCHANGE_MALFORMED:
        failed(load, c, LOAD_MALFORMED);
        break;
    }
}

// ---- all connections -----------------------------------------------------------------------

static void prepare(struct load_target *target, const char *host, int port)
{
    target->request = exchange_request(host, port, target->path);
    if (!target->request)
        die("no memory for a request");
    target->request_length = strlen(target->request);
    target->pattern.whole_length = 0;
}

void load_open(struct load *load, const char *host, int port, struct load_target *targets,
               int count)
{
    *load = (struct load){.targets = targets, .target_count = count};
    load->address_length = net_address(host, port, SOCK_STREAM, &load->address);
    for (int i = 0; i < count; i++) {
        prepare(&targets[i], host, port);
        load->count += targets[i].connections;
    }
    if (load->count > LOAD_CONNECTIONS)
        die("%d connections are more than %d", load->count, LOAD_CONNECTIONS);
    load->connections = calloc((size_t)load->count + 1, sizeof *load->connections);
    load->pauses.heap = calloc((size_t)load->count + 1, sizeof *load->pauses.heap);
    load->bytes = malloc(EXCHANGE_BYTES);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!load->connections || !load->pauses.heap || !load->bytes || load->epoll < 0)
        die("cannot prepare %d connections: %s", load->count, strerror(errno));
    struct load_connection *c = load->connections;
    for (int i = 0; i < count; i++)
        for (int n = 0; n < targets[i].connections; n++, c++)
            *c = (struct load_connection){.target = &targets[i], .fd = -1};
}

void load_close(struct load *load)
{
    for (int i = 0; i < load->count; i++)
        drop(&load->connections[i]);
    for (int i = 0; i < load->target_count; i++)
        free(load->targets[i].request);
    close(load->epoll);
    free(load->connections);
    free(load->pauses.heap);
    free(load->bytes);
}

static void serve_event(struct load *load, const struct epoll_event *event)
{
    struct load_connection *c = event->data.ptr;
    if (c->state == CONNECTING)
        connected(load, c, now_ns());
    else
        readable(load, c);
}

// Opens further connections, and ends the pauses that are over.
static void move_on(struct load *load, int64_t now)
{
    while (load->opened < load->count && load->opening < LOAD_OPENING) {
        load->opening++;
        connect_to(load, &load->connections[load->opened++], now);
    }
    while (timers_next_ns(&load->pauses) <= now) {
        struct load_connection *c =
            (struct load_connection *)load->pauses.heap[0]; // its first member
        timers_remove(&load->pauses, &c->timer);
        if (c->fd < 0)
            connect_to(load, c, now);
        else
            ask(load, c, now);
    }
}

static void clear_figures(struct load *load)
{
    for (int i = 0; i < load->target_count; i++) {
        struct load_target *target = &load->targets[i];
        memset(target->errors, 0, sizeof target->errors);
        memset(&target->latency, 0, sizeof target->latency);
        target->slowest_error_ns = 0;
        target->served = 0;
    }
    load->finished = 0;
    load->run++;
}

void load_run(struct load *load, double ms, uint64_t requests)
{
    struct epoll_event events[EVENTS];
    clear_figures(load);
    int64_t begin_cpu_ns = thread_cpu_ns(), begin_ns = now_ns(), now = begin_ns;
    int64_t end_ns = begin_ns + (int64_t)(ms * NS_PER_MS);
    while (now < end_ns && load->done < load->count &&
           (!requests || load->finished < requests)) {
        move_on(load, now);
        int64_t until = earlier(end_ns, timers_next_ns(&load->pauses));
        until = earlier(until, now + LONGEST_WAIT * INT64_C(1000000));
        int ready = epoll_wait(load->epoll, events, EVENTS, timers_sleep_ms(until, now));
        if (ready < 0 && errno != EINTR)
            die("cannot wait for answers: %s", strerror(errno));
        for (int i = 0; i < ready; i++)
            serve_event(load, &events[i]);
        now = now_ns();
    }
    load->seconds = (double)(now - begin_ns) / 1e9;
    load->cpu_seconds = (double)(thread_cpu_ns() - begin_cpu_ns) / 1e9;
}
