// acceptor.c: see acceptor.h. Read acceptor_wait() first.
#include "acceptor.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handler.h"
#include "net.h"

#define NEVER INT64_MAX

void acceptor_open(struct acceptor *a, struct crew *crew, int listener, int stop_fd,
                   int other_fd)
{
    *a = (struct acceptor){.crew = crew,
                           .listener = listener,
                           .stop_fd = stop_fd,
                           .other_fd = other_fd,
                           .flags = SOCK_CLOEXEC};
    if (listener >= 0)
        net_set_nonblocking(listener); // who is gone when we come to accept must not block us
}

// ---- those who are refused -----------------------------------------------------------------

static bool any_refused(const struct acceptor *a)
{
    return a->refused_first != a->refused_next;
}

static void close_first_refused(struct acceptor *a)
{
    close(a->refused[a->refused_first++ % ACCEPTOR_REFUSED_MAX].fd);
}

// A close() before its request has come would be a reset, and might cost the client our
// answer: so we close our half now and the rest a little later.
void acceptor_refuse(struct acceptor *a, int fd)
{
    char bytes[ANSWER_ROOM];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    answer_put_busy(&out, &(struct request){0}, false);
    if (send(fd, bytes, out.length, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        shutdown(fd, SHUT_WR);
    atomic_fetch_add(&a->crew->refused, 1);
    crew_leave(a->crew);
    if (a->refused_next - a->refused_first == ACCEPTOR_REFUSED_MAX)
        close_first_refused(a);
    a->refused[a->refused_next++ % ACCEPTOR_REFUSED_MAX] =
        (struct refused){fd, now_ns() + CREW_LINGER_MS * INT64_C(1000000)};
}

// ---- waiting -------------------------------------------------------------------------------

// How long poll() may sleep, in milliseconds; -1: until something happens.
static int sleep_for(const struct acceptor *a, int64_t now)
{
    int64_t until = a->pause_until_ns ? a->pause_until_ns : NEVER;
    if (any_refused(a)) {
        int64_t close_ns = a->refused[a->refused_first % ACCEPTOR_REFUSED_MAX].close_ns;
        until = close_ns < until ? close_ns : until;
    }
    return until == NEVER ? -1 : until > now ? (int)((until - now) / 1000000 + 1) : 0;
}

void acceptor_pause(struct acceptor *a)
{
    a->pause_until_ns = now_ns() + ACCEPTOR_PAUSE_MS * INT64_C(1000000);
}

// Accepts one. -1: there was none after all, or nothing to have it with.
static int accept_one(struct acceptor *a)
{
    int fd = accept4(a->listener, NULL, NULL, a->flags);
    if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
        acceptor_pause(a);
    if (fd < 0 || crew_join(a->crew))
        return fd;
    acceptor_refuse(a, fd);
    return -1;
}

int acceptor_wait(struct acceptor *a)
{
    struct signalfd_siginfo signal;
    for (;;) {
        int64_t now = now_ns();
        bool pause_over = a->pause_until_ns && a->pause_until_ns <= now;
        if (pause_over)
            a->pause_until_ns = 0;
        if (pause_over && a->listener < 0)
            return ACCEPTOR_OTHER;
        while (any_refused(a) &&
               a->refused[a->refused_first % ACCEPTOR_REFUSED_MAX].close_ns <= now)
            close_first_refused(a);
        struct pollfd watched[] = {{a->pause_until_ns ? -1 : a->listener, POLLIN, 0},
                                   {a->stop_fd, POLLIN, 0},
                                   {a->other_fd, POLLIN, 0}};
        if (poll(watched, 3, sleep_for(a, now)) < 1)
            continue;
        if (watched[1].revents && read(a->stop_fd, &signal, sizeof signal) > 0)
            return ACCEPTOR_STOP;
        if (watched[2].revents)
            return ACCEPTOR_OTHER;
        int fd = watched[0].revents ? accept_one(a) : -1;
        if (fd >= 0)
            return fd;
    }
}

void acceptor_close(struct acceptor *a)
{
    if (a->listener >= 0)
        close(a->listener);
    a->listener = -1;
    a->pause_until_ns = now_ns() + CREW_STOP_MS * INT64_C(1000000);
    while (any_refused(a))
        close_first_refused(a);
}

bool acceptor_wait_for_end(struct acceptor *a)
{
    struct pollfd watched[] = {{a->stop_fd, POLLIN, 0}, {a->other_fd, POLLIN, 0}};
    int64_t now;
    while ((now = now_ns()) < a->pause_until_ns) {
        if (poll(watched, 2, sleep_for(a, now)) < 1)
            continue;
        return !watched[0].revents;
    }
    return false;
}
