// leg_input.c: what comes in on a leg, see leg.h. Read leg_serve() first.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "leg_inside.h"

static char input[LEG_IN_BYTES];

// Lets the legs.program use what is here; what is left is kept.
void leg_offer(struct leg *leg, const char *bytes, size_t length)
{
    size_t used = 0, part = 1;
    while (part && used < length && !leg->paused && !leg->broken && !leg->closing) {
        part = leg->kind->received(leg, bytes + used, length - used);
        used += part;
    }
    if (leg->closing || leg->broken)
        used = length;
    char *old = leg->in, *rest = NULL;
    leg->in_length = (uint32_t)(length - used);
    if (old && bytes == old + leg->in_at && used < length) {
        leg->in_at += (uint32_t)used;
        return;
    }
    if (used < length) {
        rest = malloc(length - used);
        if (rest)
            memcpy(rest, bytes + used, length - used);
        else
            leg_fail(leg, ENOMEM);
    }
    free(old);
    leg->in = rest;
    leg->in_at = 0;
}

// There were no bytes to read: none have come, there was an error, or the peer has ended.
static void take_nothing(struct leg *leg, ssize_t got)
{
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0) {
        leg_fail(leg, errno);
        return;
    }
    leg->ended = true;
    leg_watch(leg, leg->events & ~(uint32_t)EPOLLIN);
    if (leg->lingering)
        leg_fail(leg, 0);
    else if (!leg->closing)
        leg->kind->ended(leg);
}

// A relay that moves a lot at a time shall splice.
static void note_size(struct leg *leg, ssize_t got)
{
    if (got >= LEG_LARGE_BYTES)
        leg->large_reads++;
    else if (got < LEG_SMALL_BYTES)
        leg->large_reads = 0;
}

static void receive(struct leg *leg)
{
    size_t before = leg->in_length;
    ssize_t got = read(leg->fd, input + before, LEG_IN_BYTES - before);
    if (got <= 0) {
        take_nothing(leg, got);
        return;
    }
    if (leg->closing)
        return;
    note_size(leg, got);
    if (before)
        memcpy(input, leg->in + leg->in_at, before);
    leg_offer(leg, input, before + (size_t)got);
}

// A relay that moves a lot has its bytes moved by the kernel: they are not copied to this
// legs.program and back.
static void receive_by_splice(struct leg *leg)
{
    ssize_t got = splice(leg->fd, NULL, leg->pipe[1], NULL, LEG_PIPE_BYTES,
                         SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (got <= 0) {
        take_nothing(leg, got);
        return;
    }
    note_size(leg, got);
    leg->piped = (size_t)got;
    if (leg->kind->spliced)
        leg->kind->spliced(leg, leg->piped);
    if (leg_pump(leg))
        return;
    leg_pause(leg); // until the other leg has drained
    leg_begin_period(leg->splice_to);
    leg_watch(leg->splice_to, leg->splice_to->events | EPOLLOUT);
}

static bool may_splice(struct leg *leg)
{
    if (!leg->splice_to || leg->large_reads < LEG_SPLICE_READS || leg->in_length ||
        leg_waiting(leg->splice_to) || leg->splice_to->connecting || leg->closing)
        return false;
    if (leg->pipe[0] >= 0)
        return true;
    if (!pipe2(leg->pipe, O_CLOEXEC | O_NONBLOCK)) {
        fcntl(leg->pipe[1], F_SETPIPE_SZ, LEG_PIPE_BYTES); // if it fails, 64 KB do as well
        return true;
    }
    leg->large_reads = 0; // there is no descriptor for a pipe
    return false;
}

void leg_pause(struct leg *leg)
{
    leg->paused = true;
}

void leg_resume(struct leg *leg)
{
    if (!leg->paused || leg->broken)
        return;
    leg->paused = false;
    if (!leg->ended)
        leg_watch(leg, leg->events | EPOLLIN);
    if (leg->in_length)
        leg_queue(leg);
}

void leg_pass(struct leg *from, struct leg *to, const void *bytes, size_t length)
{
    leg_send(to, bytes, length);
    if (leg_waiting(to))
        leg_pause(from);
}

void leg_splice(struct leg *leg, struct leg *to)
{
    leg->splice_to = to;
    to->splice_from = leg;
}

static void end_connecting(struct leg *leg, bool failed)
{
    int error = 0;
    socklen_t length = sizeof error;
    if (failed && getsockopt(leg->fd, SOL_SOCKET, SO_ERROR, &error, &length))
        error = errno;
    if (error) {
        leg_fail(leg, error);
        return;
    }
    leg->connecting = false;
    leg->deadline_ns = NEVER;
    leg_watch(leg, EPOLLIN | EPOLLOUT);
    leg->kind->connected(leg);
}

void leg_serve(struct leg *leg, uint32_t events)
{
    bool over = events & (EPOLLERR | EPOLLHUP);
    if (leg->broken)
        return;
    if (leg->connecting)
        end_connecting(leg, over);
    if (leg->broken || leg->connecting)
        return;
    if (events & EPOLLOUT)
        leg_flush(leg);
    if (leg->broken)
        return;
    if (!(events & EPOLLIN) && over)
        leg_fail(leg, leg->finished && leg->ended ? 0 : ECONNRESET);
    else if ((events & EPOLLIN) && leg->paused && !leg->closing && over)
        leg_fail(leg, ECONNRESET);
    else if ((events & EPOLLIN) && leg->paused && !leg->closing)
        leg_watch(leg, leg->events & ~(uint32_t)EPOLLIN); // what has come waits in the kernel
    else if ((events & EPOLLIN) && may_splice(leg))
        receive_by_splice(leg);
    else if (events & EPOLLIN)
        receive(leg);
    leg_settle(leg);
}
