// leg.c: one leg: what comes in, what goes out, and its end; see leg.h. Read leg_serve() first.
// All legs together, and the time, are in leg_loop.c.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "leg_inside.h"

#define OUT_KEPT 4096 // bytes: a larger buffer is freed when it is empty

static char input[LEG_IN_BYTES];

// ---- output --------------------------------------------------------------------------------

static size_t piped_bytes(const struct leg *leg)
{
    if (!leg->joined)
        return 0;
    return leg->joined->piped;
}

size_t leg_waiting(const struct leg *leg)
{
    return leg->out_length - leg->out_at + piped_bytes(leg);
}

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
    leg_queue(leg); // epoll is to tell when there is room
}

// Moves what is in the pipe to the peer. False: the kernel has no room for it.
static bool pump(struct leg *from)
{
    struct leg *to = from->joined;
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

static void flush(struct leg *leg)
{
    size_t left = leg->out_length - leg->out_at;
    if (left)
        leg->out_at += (uint32_t)send_some(leg, leg->out + leg->out_at, left);
    if (leg->deaf || leg->out_at == leg->out_length)
        drop_output(leg);
    if (leg->out_length || (piped_bytes(leg) && !pump(leg->joined)))
        return;
    leg_queue(leg);
    if (leg->joined)
        leg_resume(leg->joined);
    else if (leg->kind->drained)
        leg->kind->drained(leg);
}

// ---- input ---------------------------------------------------------------------------------

static void note_moved(struct leg *leg, size_t length)
{
    leg->kind->moved(leg, length);
    leg_deadline(leg, leg->silence_ms); // silence in one direction is no silence
    leg_deadline(leg->joined, leg->silence_ms);
}

static size_t take(struct leg *leg, const char *bytes, size_t length)
{
    if (!leg->joined)
        return leg->kind->received(leg, bytes, length);
    leg_pass(leg, leg->joined, bytes, length);
    note_moved(leg, length);
    return length;
}

void leg_offer(struct leg *leg, const char *bytes, size_t length)
{
    size_t used = 0, part = 1;
    while (part && used < length && !leg->paused && !leg->broken && !leg->closing) {
        part = take(leg, bytes + used, length - used);
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
    leg_queue(leg);
    if (leg->lingering)
        leg_fail(leg, 0);
    else if (leg->joined)
        leg_finish(leg->joined);
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
// program and back.
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
    note_moved(leg, leg->piped);
    if (pump(leg))
        return;
    leg_pause(leg); // until the other leg has drained
    leg_begin_period(leg->joined);
    leg_queue(leg->joined);
}

static bool may_splice(struct leg *leg)
{
    if (!leg->joined || leg->large_reads < LEG_SPLICE_READS || leg->in_length ||
        leg_waiting(leg->joined) || leg->closing)
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
    leg->paused = leg->full = false;
    leg_queue(leg);
}

void leg_pass(struct leg *from, struct leg *to, const void *bytes, size_t length)
{
    leg_send(to, bytes, length);
    if (leg_waiting(to))
        leg_pause(from);
}

void leg_join(struct leg *one, struct leg *other, int64_t silence_ms)
{
    one->joined = other;
    other->joined = one;
    one->silence_ms = other->silence_ms = silence_ms;
    leg_deadline(one, silence_ms);
    leg_deadline(other, silence_ms);
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
    leg_queue(leg);
    leg->kind->connected(leg);
}

// ---- both, and the end ---------------------------------------------------------------------

void leg_fail(struct leg *leg, int error)
{
    if (!leg->broken)
        leg->error = error;
    leg->broken = true;
    leg_queue(leg);
}

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
        leg_queue(leg);
    }
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
        flush(leg);
    if (leg->broken)
        return;
    bool readable = events & EPOLLIN, waits = leg->paused && !leg->closing;
    if (over && waits && leg->finished && !leg->ended && !(events & EPOLLERR)) {
        over = false; // both sides have ended in good order: the rest waits in the kernel
        readable = true;
    }
    if (over && !readable) {
        leg_fail(leg, leg->finished && leg->ended ? 0 : ECONNRESET);
    } else if (over && waits) {
        leg_fail(leg, ECONNRESET);
    } else if (readable && waits) {
        leg->full = true; // what has come waits in the kernel
        leg_queue(leg);
    } else if (readable && may_splice(leg)) {
        receive_by_splice(leg);
    } else if (readable) {
        receive(leg);
    }
    leg_settle(leg);
}
