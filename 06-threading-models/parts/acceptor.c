// acceptor.c: see acceptor.h. Read acceptor_wait() first.
#include "acceptor.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handler.h"
#include "net.h"
#include "timers.h"

#define NEVER INT64_MAX

void acceptor_open(struct acceptor *a, struct workers *workers, int listener, int stop_fd,
                   int other_fd)
{
    *a = (struct acceptor){
        .workers = workers, .listener = listener, .stop_fd = stop_fd, .other_fd = other_fd};
    net_set_nonblocking(listener); // a client may be gone before accept() is called
}

// ---- connections that are refused ----------------------------------------------------------

static bool any_refused(const struct acceptor *a)
{
    return a->refused_first != a->refused_next;
}

static void close_first_refused(struct acceptor *a)
{
    close(a->refused[a->refused_first++ % ACCEPTOR_REFUSED_MAX].fd);
}

// If the server called close() before the request has come, its kernel would send a reset, and
// the client might lose the answer. So the server closes its own half now, and the descriptor a
// little later.
void acceptor_refuse(struct acceptor *a, int fd)
{
    char bytes[ANSWER_ROOM];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    answer_put(&(struct http_server){.keep_alive = false}, &out, &answer_busy);
    if (send(fd, bytes, out.length, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        shutdown(fd, SHUT_WR);
    atomic_fetch_add(&a->workers->refused, 1);
    workers_release(a->workers);
    if (a->refused_next - a->refused_first == ACCEPTOR_REFUSED_MAX)
        close_first_refused(a);
    a->refused[a->refused_next++ % ACCEPTOR_REFUSED_MAX] =
        (struct refused){fd, now_ns() + LINGER_MS * INT64_C(1000000)};
}

// ---- waiting -------------------------------------------------------------------------------

// How long poll() may sleep, in milliseconds; -1: until something happens.
static int sleep_for(const struct acceptor *a, int64_t now)
{
    int64_t until = NEVER;
    if (any_refused(a))
        until = a->refused[a->refused_first % ACCEPTOR_REFUSED_MAX].close_ns;
    if (a->pause_until_ns && a->pause_until_ns < until)
        until = a->pause_until_ns;
    return timers_sleep_ms(until, now);
}

// Accepts one connection. -1: there was none after all, or no descriptor for it.
static int accept_one(struct acceptor *a)
{
    int fd = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
        a->pause_until_ns = now_ns() + RETRY_MS * INT64_C(1000000);
    if (fd < 0 || workers_admit(a->workers))
        return fd;
    acceptor_refuse(a, fd);
    return -1;
}

int acceptor_wait(struct acceptor *a)
{
    struct signalfd_siginfo signal;
    for (;;) {
        int64_t now = now_ns();
        if (a->pause_until_ns <= now)
            a->pause_until_ns = 0;
        while (any_refused(a) &&
               a->refused[a->refused_first % ACCEPTOR_REFUSED_MAX].close_ns <= now)
            close_first_refused(a);
        struct pollfd watched[] = {
            {a->listener, POLLIN, 0}, {a->stop_fd, POLLIN, 0}, {a->other_fd, POLLIN, 0}};
        if (a->pause_until_ns)
            watched[0].fd = -1; // poll() ignores a -1
        if (poll(watched, 3, sleep_for(a, now)) < 1)
            continue;
        if (watched[1].revents && read(a->stop_fd, &signal, sizeof signal) > 0)
            return ACCEPTOR_STOP;
        if (watched[2].revents)
            return ACCEPTOR_OTHER;
        int fd = -1;
        if (watched[0].revents)
            fd = accept_one(a);
        if (fd >= 0)
            return fd;
    }
}

void acceptor_close(struct acceptor *a)
{
    close(a->listener);
    while (any_refused(a))
        close_first_refused(a);
}
