// leg_loop.c: all legs, and the time; see leg.h. Read leg_run() first.
#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leg_inside.h"
#include "net.h"
#include "smaller.h"

#define EVENTS          256 // that one epoll_wait() may bring
#define ACCEPTS         64  // clients accepted before the others have their turn
#define RETRY_ACCEPT_MS 100 // after accept() found no free descriptor

static const struct leg_program *program;
static struct timers timers; // one for each leg
static struct leg *todo;     // legs that have something to do at the end of the round
static int epoll, listener, clients;
static bool accepting, stopping;
static int64_t round_ns, tick_ns, stop_ns, retry_accept_ns;
static long accepted;

bool leg_is_stopping(void)
{
    return stopping;
}

int64_t leg_now(void)
{
    return round_ns;
}

static int64_t from_now(int64_t ms)
{
    if (ms == NEVER)
        return NEVER;
    return round_ns + ms * 1000000;
}

void leg_queue(struct leg *leg)
{
    if (leg->queued)
        return;
    leg->queued = true;
    leg->next = todo;
    todo = leg;
}

// ---- time ----------------------------------------------------------------------------------

static bool is_stalled(const struct leg *leg)
{
    return leg_waiting(leg) && !leg->connecting;
}

static int64_t due_ns(const struct leg *leg)
{
    if (is_stalled(leg) && leg->period_end_ns < leg->deadline_ns)
        return leg->period_end_ns;
    return leg->deadline_ns;
}

// A later time is noticed when the timer comes.
static void set_timer(struct leg *leg)
{
    if (due_ns(leg) < leg->timer.at_ns)
        timers_move(&timers, &leg->timer, due_ns(leg));
}

void leg_deadline(struct leg *leg, int64_t ms)
{
    leg->deadline_ns = from_now(ms);
    set_timer(leg);
}

// How many bytes the peer's kernel has acknowledged: our kernel may hold megabytes.
static uint64_t acknowledged(const struct leg *leg)
{
    int unacknowledged;
    if (leg->sent_bytes == 0 || ioctl(leg->fd, SIOCOUTQ, &unacknowledged))
        return leg->sent_bytes;
    return leg->sent_bytes - (uint64_t)unacknowledged;
}

void leg_begin_period(struct leg *leg)
{
    leg->taken_bytes = acknowledged(leg);
    leg->period_end_ns = from_now(LEG_STALL_MS);
    set_timer(leg);
}

static void expire(struct leg *leg)
{
    if (is_stalled(leg) && leg->period_end_ns <= round_ns) {
        if (acknowledged(leg) - leg->taken_bytes < LEG_STALL_BYTES)
            leg_fail(leg, ETIMEDOUT);
        else
            leg_begin_period(leg);
    }
    if (!leg->broken && leg->deadline_ns <= round_ns) {
        leg->deadline_ns = NEVER;
        if (leg->connecting || leg->lingering) {
            leg_fail(leg, leg->connecting ? ETIMEDOUT : 0);
        } else if (leg->silence_ms) { // it is joined, or the other one is gone in good order
            if (leg->joined)
                leg_abort(leg->joined, true);
            leg_abort(leg, true);
        } else {
            leg->kind->timeout(leg);
        }
    }
    timers_move(&timers, &leg->timer, due_ns(leg));
}

// ---- the end of a round --------------------------------------------------------------------

// Epoll is asked for what the leg waits for at the end of a round: what was wanted only in
// between costs no system call.
static void tell_epoll(struct leg *leg)
{
    struct epoll_event event = {0, {.ptr = leg}};
    if (!leg->connecting && !leg->ended && (!leg->full || leg->lingering))
        event.events |= EPOLLIN;
    if (leg->connecting || (leg_waiting(leg) && !leg->deaf))
        event.events |= EPOLLOUT;
    if (leg->full && leg->finished) // else epoll would say again and again that both have ended
        event.events |= EPOLLET;
    if (leg->broken || event.events == leg->watched)
        return;
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, leg->fd, &event))
        leg_fail(leg, errno);
    leg->watched = event.events;
}

static void drop(struct leg *leg)
{
    timers_remove(&timers, &leg->timer);
    clients -= leg->kind == program->client;
    leg->kind->closed(leg);
    if (leg->joined) { // what the peer has done, the other one's peer is to see
        leg->joined->joined = NULL;
        if (leg->error || !leg->ended)
            leg_abort(leg->joined, true);
        else
            leg_finish(leg->joined);
    }
    if (leg->pipe[0] >= 0) {
        close(leg->pipe[0]);
        close(leg->pipe[1]);
    }
    close(leg->fd);
    free(leg->in);
    free(leg->out);
    free(leg);
    retry_accept_ns = 0; // there is room for another one
}

// Does what the legs have to do at the end of a round. What they cause is done as well.
static void settle_all(void)
{
    while (todo) {
        struct leg *leg = todo;
        todo = leg->next;
        leg->queued = false;
        if (!leg->broken && leg->in_length && !leg->paused)
            leg_offer(leg, leg->in + leg->in_at, leg->in_length);
        leg_settle(leg);
        tell_epoll(leg);
        if (leg->broken && !leg->queued) // else it stands in the list again
            drop(leg);
    }
}

// ---- legs come -----------------------------------------------------------------------------

static struct leg *leg_begin(const struct leg_kind *kind, int fd, uint32_t events)
{
    struct leg *leg = calloc(1, kind->bytes);
    struct epoll_event event = {events, {.ptr = leg}};
    if (!leg || timers.count == (uint32_t)program->legs_max ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) {
        free(leg);
        close(fd);
        errno = EMFILE;
        return NULL;
    }
    leg->kind = kind;
    leg->fd = fd;
    leg->watched = events;
    leg->pipe[0] = leg->pipe[1] = -1;
    leg->deadline_ns = NEVER;
    timers_add(&timers, &leg->timer, NEVER);
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
        net_give_up(fd);
        return NULL;
    }
    struct leg *leg = leg_begin(kind, fd, EPOLLOUT);
    if (!leg)
        return NULL;
    net_send_at_once(fd);
    leg->connecting = true;
    leg_deadline(leg, ms);
    return leg;
}

// All places are taken. If one becomes free, the next round accepts.
static void wait_for_place(void)
{
    if (!program->make_place || !program->make_place())
        retry_accept_ns = from_now(RETRY_ACCEPT_MS);
}

static void accept_some(void)
{
    struct sockaddr_storage address;
    for (int i = 0; i < ACCEPTS; i++) {
        if (clients >= program->clients_max) {
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
                retry_accept_ns = from_now(RETRY_ACCEPT_MS);
            return;
        }
        struct leg *leg = leg_begin(program->client, fd, EPOLLIN);
        if (!leg)
            continue;
        accepted++;
        clients++;
        program->opened(leg, &address);
        leg_settle(leg);
    }
}

static void watch_listener(void)
{
    bool want = !stopping && retry_accept_ns <= round_ns;
    struct epoll_event event = {0, {.ptr = &listener}};
    if (want)
        event.events = EPOLLIN;
    if (want != accepting && !epoll_ctl(epoll, EPOLL_CTL_MOD, listener, &event))
        accepting = want;
}

void leg_each(const struct leg_kind *kind, void (*call)(struct leg *leg))
{
    for (uint32_t i = 0; i < timers.count; i++) {
        struct leg *leg = (struct leg *)timers.heap[i];
        if (leg->kind == kind && !leg->broken)
            call(leg);
    }
}

static void begin_to_stop(int stop_fd)
{
    struct signalfd_siginfo signal;
    if (read(stop_fd, &signal, sizeof signal) < 0)
        return;
    stop_ns = round_ns; // at the second signal all ends at once
    if (!stopping) {
        stop_ns = from_now(program->drain_ms);
        close(listener);
    }
    stopping = true;
    if (program->stop)
        leg_each(program->client, program->stop);
}

static int sleep_ms_for(void)
{
    int64_t until_ns = earlier(tick_ns, timers_next_ns(&timers));
    if (!accepting && !stopping && retry_accept_ns < until_ns)
        until_ns = retry_accept_ns;
    if (stopping && stop_ns < until_ns)
        until_ns = stop_ns;
    return timers_sleep_ms(until_ns, round_ns);
}

static void start(int stop_fd)
{
    struct epoll_event for_clients = {0, {.ptr = &listener}},
                       for_stop = {EPOLLIN, {.ptr = &epoll}};
    timers.heap = calloc((size_t)program->legs_max, sizeof *timers.heap);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    net_set_nonblocking(listener);
    net_send_at_once(listener); // the connections that it accepts inherit it
    if (!timers.heap || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &for_clients) ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, stop_fd, &for_stop))
        die("cannot set up epoll: %s", strerror(errno));
}

static void run_round(int stop_fd)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll, events, EVENTS, sleep_ms_for());
    round_ns = now_ns();
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == &listener)
            accept_some();
        else if (events[i].data.ptr == &epoll)
            begin_to_stop(stop_fd);
        else
            leg_serve(events[i].data.ptr, events[i].events);
    }
    for (uint32_t i = timers.count; i > 0 && timers_next_ns(&timers) <= round_ns; i--)
        expire((struct leg *)timers.heap[0]);
    if (tick_ns <= round_ns)
        tick_ns = program->tick();
    settle_all();
}

long leg_run(int fd, const struct leg_program *what)
{
    int stop_fd = net_stop_fd();
    program = what;
    listener = fd;
    start(stop_fd);
    net_ready(listener);
    tick_ns = round_ns = now_ns();
    while (!stopping || (clients && round_ns < stop_ns)) {
        round_ns = now_ns();
        watch_listener();
        run_round(stop_fd);
    }
    while (timers.count) {
        leg_abort((struct leg *)timers.heap[0], false);
        settle_all();
    }
    close(epoll);
    close(stop_fd);
    free(timers.heap);
    return accepted;
}
