// load.c: see load.h. What to read: readable(), which is all that happens for most answers.
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "body.h"
#include "http.h"
#include "net.h"

#define READ_BYTES   65536
#define KEPT_MAX     (HTTP_LINE_BYTES + HTTP_HEAD_BYTES) // of an answer that cannot be read yet
#define EVENTS       128
#define NS_PER_MS    1e6
#define LONGEST_WAIT 60000

struct load_conn {
    struct timer timer; // when it asks next, while it pauses
    struct load_target *target;
    int fd;
    enum { CONNECTING, WAITING, PAUSING, DONE } state;
    bool tried;       // its first request has come to an end, good or bad
    int served_run;   // the run in which it last had an answer
    int64_t asked_ns; // when the answer that we wait for was asked for
    char *kept;       // the beginning of an answer that is not here yet
    uint32_t kept_length;
    bool in_body; // the answer's head has been read
    int status;   // of that answer
    bool last;    // it is the last one on this connection
    struct http_body body;
};

const char *load_error_name(enum load_error error)
{
    static const char *const names[] = {"unreachable", "closed", "malformed", "503", "refused"};
    return names[error];
}

uint64_t load_errors(const struct load_target *target)
{
    uint64_t sum = 0;
    for (int i = 0; i < LOAD_ERRORS; i++)
        sum += target->errors[i];
    return sum;
}

static int64_t cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

// ---- one connection ------------------------------------------------------------------------

static void drop(struct load_conn *c)
{
    // With a reset: else each would keep its port for a minute (TIME_WAIT).
    static const struct linger reset = {1, 0};
    if (c->fd >= 0) {
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(c->fd);
    }
    c->fd = -1;
    free(c->kept);
    c->kept = NULL;
    c->kept_length = 0;
    c->in_body = false;
}

// A request has come to its end, good or bad.
static void finish(struct load *load, struct load_conn *c)
{
    load->finished += c->target == load->targets;
    load->opening -= !c->tried;
    c->tried = true;
}

// It has nothing to do for so long.
static void pause_for(struct load *load, struct load_conn *c, double ms, int64_t now)
{
    c->state = c->target->pause_ms == LOAD_ONCE ? DONE : PAUSING;
    if (c->state == DONE)
        load->done++;
    else
        timers_add(&load->pauses, &c->timer, now + (int64_t)(ms * NS_PER_MS));
}

// This request has failed; the next one is asked on a new connection.
static void failed(struct load *load, struct load_conn *c, enum load_error error)
{
    c->target->errors[error]++;
    finish(load, c);
    drop(c);
    pause_for(load, c, LOAD_RETRY_MS, now_ns());
}

static void ask(struct load *load, struct load_conn *c, int64_t now)
{
    const struct load_target *target = c->target;
    c->asked_ns = now;
    c->state = WAITING;
    if (write(c->fd, target->request, target->request_length) !=
        (ssize_t)target->request_length)
        failed(load, c, LOAD_CLOSED);
}

static void connect_to(struct load *load, struct load_conn *c, int64_t now)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    c->asked_ns = now; // a connection that is slow to come is a slow answer
    c->fd = socket(load->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("cannot open connection %td: %s", c - load->conns + 1, strerror(errno));
    c->state = CONNECTING;
    if (connect(c->fd, (struct sockaddr *)&load->address, load->address_length) &&
        errno != EINPROGRESS)
        failed(load, c, LOAD_UNREACHABLE);
    else if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event))
        die("cannot watch connection %td: %s", c - load->conns + 1, strerror(errno));
}

static void connected(struct load *load, struct load_conn *c, int64_t now)
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
static void answered(struct load *load, struct load_conn *c, int status, bool last)
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
    else
        target->errors[status == 503 ? LOAD_OVERLOADED : LOAD_REFUSED]++;
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

// ---- answers -------------------------------------------------------------------------------

// Keeps what there is of an answer until there is more.
static void keep(struct load *load, struct load_conn *c, const char *bytes, size_t length)
{
    char *kept = length && length <= KEPT_MAX ? malloc(length) : NULL;
    if (length && !kept) {
        failed(load, c, LOAD_MALFORMED);
        return;
    }
    if (length)
        memcpy(kept, bytes, length);
    free(c->kept);
    c->kept = kept;
    c->kept_length = (uint32_t)length;
}

// Remembers the head of an answer that came in one piece, so that the next one like it need not
// be read again: the same head ends in the same place.
static void remember(struct load_target *target, const struct http_head *head,
                     const char *bytes)
{
    target->whole_length = 0;
    if (head->content_length < 0 || head->chunked || !head->keep_alive || head->status != 200 ||
        head->length > LOAD_HEAD_BYTES)
        return;
    memcpy(target->head, bytes, head->length);
    target->head_length = head->length;
    target->whole_length = head->length + (size_t)head->content_length;
}

// Reads the head of an answer. Returns how many bytes it has; 0: more have to come, or it is
// none.
static size_t take_head(struct load *load, struct load_conn *c, const char *bytes,
                        size_t length)
{
    static struct http_head head;
    int result = http_read_response(bytes, length, &head);
    if (result < 0)
        failed(load, c, LOAD_MALFORMED);
    else if (result == 0)
        keep(load, c, bytes, length);
    if (result <= 0)
        return 0;
    remember(c->target, &head, bytes);
    http_body_of_response(&c->body, &head, false);
    c->status = head.status;
    c->last = !head.keep_alive || c->body.state == BODY_TO_CLOSE;
    c->in_body = head.status >= 200; // what comes before it (100, 103) is no answer
    return head.length;
}

// Goes on with an answer as far as its bytes have come.
static void take(struct load *load, struct load_conn *c, const char *bytes, size_t length)
{
    size_t used = 0;
    while (!c->in_body) {
        size_t head = take_head(load, c, bytes + used, length - used);
        if (!head)
            return;
        used += head;
    }
    while (!c->body.done) {
        struct http_text content;
        ssize_t part = http_body_take(&c->body, bytes + used, length - used, &content);
        if (part < 0) {
            failed(load, c, LOAD_MALFORMED);
            return;
        }
        if (!part)
            break;
        used += (size_t)part;
    }
    keep(load, c, bytes + used, length - used);
    if (!c->body.done || c->fd < 0)
        return;
    c->in_body = false;
    if (c->kept_length) // more than one answer to one request
        failed(load, c, LOAD_MALFORMED);
    else
        answered(load, c, c->status, c->last);
}

static void readable(struct load *load, struct load_conn *c)
{
    const struct load_target *target = c->target;
    size_t length = c->kept_length;
    if (length)
        memcpy(load->bytes, c->kept, length);
    ssize_t got = read(c->fd, load->bytes + length, READ_BYTES);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        bool ends_so = got == 0 && c->in_body && c->body.state == BODY_TO_CLOSE;
        c->in_body = false;
        if (ends_so)
            answered(load, c, c->status, true);
        else if (c->state == WAITING)
            failed(load, c, LOAD_CLOSED);
        else
            drop(c); // between two requests that is the server's right
        return;
    }
    length += (size_t)got;
    if (c->state != WAITING) { // an answer that nobody has asked for
        c->target->errors[LOAD_MALFORMED]++;
        drop(c);
    } else if (length == target->whole_length && !c->in_body &&
               !memcmp(load->bytes, target->head, target->head_length)) {
        c->kept_length = 0;
        answered(load, c, 200, false);
    } else {
        take(load, c, load->bytes, length);
    }
}

// ---- all of them ---------------------------------------------------------------------------

static void prepare(struct load_target *target, const char *host, int port)
{
    int length = asprintf(&target->request, "GET %s HTTP/1.1\r\nHost: %s:%d\r\n\r\n",
                          target->path, host, port);
    if (length < 0)
        die("no memory for a request");
    target->request_length = (size_t)length;
    target->whole_length = 0;
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
    load->conns = calloc((size_t)load->count + 1, sizeof *load->conns);
    load->pauses.heap = calloc((size_t)load->count + 1, sizeof *load->pauses.heap);
    load->bytes = malloc(KEPT_MAX + READ_BYTES);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!load->conns || !load->pauses.heap || !load->bytes || load->epoll < 0)
        die("cannot prepare %d connections: %s", load->count, strerror(errno));
    struct load_conn *c = load->conns;
    for (int i = 0; i < count; i++)
        for (int n = 0; n < targets[i].connections; n++, c++)
            *c = (struct load_conn){.target = &targets[i], .fd = -1};
}

void load_close(struct load *load)
{
    for (int i = 0; i < load->count; i++)
        drop(&load->conns[i]);
    for (int i = 0; i < load->target_count; i++)
        free(load->targets[i].request);
    close(load->epoll);
    free(load->conns);
    free(load->pauses.heap);
    free(load->bytes);
}

static void serve_event(struct load *load, const struct epoll_event *event)
{
    struct load_conn *c = event->data.ptr;
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
        connect_to(load, &load->conns[load->opened++], now);
    }
    while (load->pauses.count && load->pauses.heap[0]->at_ns <= now) {
        struct load_conn *c = (struct load_conn *)load->pauses.heap[0]; // its first member
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
    int64_t begin_cpu_ns = cpu_ns(), begin_ns = now_ns(), now = begin_ns;
    int64_t end_ns = begin_ns + (int64_t)(ms * NS_PER_MS);
    while (now < end_ns && load->done < load->count &&
           (!requests || load->finished < requests)) {
        move_on(load, now);
        int64_t until = end_ns;
        if (load->pauses.count && load->pauses.heap[0]->at_ns < until)
            until = load->pauses.heap[0]->at_ns;
        int64_t wait_ms = (until - now + 999999) / 1000000;
        int ready = epoll_wait(load->epoll, events, EVENTS,
                               wait_ms < LONGEST_WAIT ? (int)wait_ms : LONGEST_WAIT);
        if (ready < 0 && errno != EINTR)
            die("cannot wait for answers: %s", strerror(errno));
        for (int i = 0; i < ready; i++)
            serve_event(load, &events[i]);
        now = now_ns();
    }
    load->seconds = (double)(now - begin_ns) / 1e9;
    load->cpu_seconds = (double)(cpu_ns() - begin_cpu_ns) / 1e9;
}
