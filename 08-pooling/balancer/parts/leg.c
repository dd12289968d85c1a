// leg.c: one leg: its deadlines, its output, its end; see leg.h. Read leg_send() first. What
// comes in is in leg_input.c, all legs together are in leg_loop.c.
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "leg_inside.h"

#define OUT_KEPT 4096 // bytes: a larger buffer is freed when it is empty

struct legs legs;

int64_t leg_now(void)
{
    return legs.round_ns;
}

static int64_t leg_from_now(int64_t ms)
{
    if (ms == NEVER)
        return NEVER;
    return legs.round_ns + ms * 1000000;
}

void leg_queue(struct leg *leg)
{
    if (leg->queued)
        return;
    leg->queued = true;
    leg->next = legs.todo;
    legs.todo = leg;
}

void leg_fail(struct leg *leg, int error)
{
    if (!leg->broken)
        leg->error = error;
    leg->broken = true;
    leg_queue(leg);
}

void leg_watch(struct leg *leg, uint32_t events)
{
    if (events != leg->events)
        leg_queue(leg);
    leg->events = events;
}

static void tell_epoll(struct leg *leg)
{
    struct epoll_event event = {leg->events, {.ptr = leg}};
    if (leg->broken || leg->events == leg->watched)
        return;
    if (epoll_ctl(legs.epoll, EPOLL_CTL_MOD, leg->fd, &event))
        leg_fail(leg, errno);
    leg->watched = leg->events;
}

// ---- time ----------------------------------------------------------------------------------

static size_t piped_bytes(const struct leg *leg)
{
    if (!leg->splice_from)
        return 0;
    return leg->splice_from->piped;
}

size_t leg_waiting(const struct leg *leg)
{
    return leg->out_length - leg->out_at + piped_bytes(leg);
}

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
        timers_move(&legs.timers, &leg->timer, due_ns(leg));
}

void leg_deadline(struct leg *leg, int64_t ms)
{
    leg->deadline_ns = leg_from_now(ms);
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
    leg->period_end_ns = leg_from_now(LEG_STALL_MS);
    set_timer(leg);
}

void leg_expire(struct leg *leg)
{
    if (is_stalled(leg) && leg->period_end_ns <= legs.round_ns) {
        if (acknowledged(leg) - leg->taken_bytes < LEG_STALL_BYTES)
            leg_fail(leg, ETIMEDOUT);
        else
            leg_begin_period(leg);
    }
    if (!leg->broken && leg->deadline_ns <= legs.round_ns) {
        leg->deadline_ns = NEVER;
        if (leg->connecting || leg->lingering)
            leg_fail(leg, leg->connecting ? ETIMEDOUT : 0);
        else
            leg->kind->timeout(leg);
    }
    timers_move(&legs.timers, &leg->timer, due_ns(leg));
}

// ---- output --------------------------------------------------------------------------------

// Returns how many bytes the kernel has taken.
static size_t send_some(struct leg *leg, const char *bytes, size_t length)
{
    ssize_t sent = send(leg->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        leg->deaf = true;
    if (sent <= 0)
        return 0;
    leg->sent_bytes += (uint64_t)sent;
    return (size_t)sent;
}

// Appends bytes to those that wait.
static void keep(struct leg *leg, const char *bytes, size_t length)
{
    size_t left = leg->out_length - leg->out_at;
    if (left)
        memmove(leg->out, leg->out + leg->out_at, left);
    if (left + length > leg->out_size) {
        char *larger = realloc(leg->out, left + length);
        if (!larger) {
            leg_fail(leg, ENOMEM);
            return;
        }
        leg->out = larger;
        leg->out_size = (uint32_t)(left + length);
    }
    memcpy(leg->out + left, bytes, length);
    leg->out_at = 0;
    leg->out_length = (uint32_t)(left + length);
}

void leg_send(struct leg *leg, const void *bytes, size_t length)
{
    size_t sent = 0;
    if (leg->broken || leg->deaf || leg->finishing || leg->closing || length == 0)
        return;
    bool waits = leg_waiting(leg);
    if (!waits && !leg->connecting)
        sent = send_some(leg, bytes, length);
    if (leg->deaf || sent == length)
        return;
    keep(leg, (const char *)bytes + sent, length - sent);
    if (!waits)
        leg_begin_period(leg);
    leg_watch(leg, leg->events | EPOLLOUT);
}

// Moves what is in the pipe to the peer. False: the kernel has no room for it.
bool leg_pump(struct leg *from)
{
    struct leg *to = from->splice_to;
    while (from->piped && !to->deaf) {
        ssize_t moved = splice(from->pipe[0], NULL, to->fd, NULL, from->piped,
                               SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (moved < 0 && errno == EAGAIN)
            return false;
        if (moved <= 0) {
            to->deaf = true;
            break;
        }
        from->piped -= (size_t)moved;
        to->sent_bytes += (uint64_t)moved;
    }
    return true;
}

static void drop_output(struct leg *leg)
{
    if (leg->out_size > OUT_KEPT || leg->broken) {
        free(leg->out);
        leg->out = NULL;
        leg->out_size = 0;
    }
    leg->out_at = leg->out_length = 0;
}

void leg_flush(struct leg *leg)
{
    size_t left = leg->out_length - leg->out_at;
    if (left)
        leg->out_at += (uint32_t)send_some(leg, leg->out + leg->out_at, left);
    if (leg->deaf || leg->out_at == leg->out_length)
        drop_output(leg);
    if (leg->out_length || (piped_bytes(leg) && !leg_pump(leg->splice_from)))
        return;
    leg_watch(leg, leg->events & ~(uint32_t)EPOLLOUT);
    if (leg->kind->drained)
        leg->kind->drained(leg);
}

// ---- the end -------------------------------------------------------------------------------

void leg_finish(struct leg *leg)
{
    leg->finishing = true;
    leg_queue(leg);
}

void leg_close(struct leg *leg)
{
    leg->closing = true;
    leg_queue(leg);
}

void leg_abort(struct leg *leg, bool reset)
{
    struct linger now = {1, 0};
    if (reset)
        setsockopt(leg->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    leg_fail(leg, leg->error);
}

static void drop(struct leg *leg)
{
    timers_remove(&legs.timers, &leg->timer);
    legs.clients -= leg->kind == legs.program->client;
    if (leg->splice_to)
        leg->splice_to->splice_from = NULL;
    if (leg->splice_from)
        leg->splice_from->splice_to = NULL;
    leg->kind->closed(leg);
    if (leg->pipe[0] >= 0) {
        close(leg->pipe[0]);
        close(leg->pipe[1]);
    }
    close(leg->fd);
    free(leg->in);
    free(leg->out);
    free(leg);
    legs.retry_accept_ns = 0; // there is room for another one
}

// What has become of a leg that something has happened to.
void leg_settle(struct leg *leg)
{
    if (leg->broken || leg_waiting(leg) || leg->connecting)
        return;
    if (!leg->finishing && !leg->closing)
        return;
    if (leg->ended) { // close() ends our half as well
        leg_fail(leg, 0);
        return;
    }
    if (!leg->finished) {
        leg->finished = true;
        shutdown(leg->fd, SHUT_WR);
    }
    if (leg->closing && !leg->lingering) {
        leg->lingering = true;
        leg_deadline(leg, LEG_LINGER_MS);
        leg_watch(leg, EPOLLIN);
    }
}

// Does what the legs have to do at the end of a round. What they cause is done as well.
void leg_settle_all(void)
{
    while (legs.todo) {
        struct leg *leg = legs.todo;
        legs.todo = leg->next;
        leg->queued = false;
        if (!leg->broken && leg->in_length && !leg->paused)
            leg_offer(leg, leg->in + leg->in_at, leg->in_length);
        leg_settle(leg);
        tell_epoll(leg);
        if (leg->broken && !leg->queued) // else it stands in the list again
            drop(leg);
    }
}
