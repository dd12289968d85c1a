// model_prefork.c: N processes that were forked beforehand, all of them in accept() on the one
// socket that they have inherited: Apache's prefork, Unicorn, PHP-FPM. The kernel gives each
// client to one process, which serves it until it closes. N clients are served; the next one
// waits in the kernel's queue. The parent only watches, and replaces a child that has crashed.
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "blocking.h"
#include "children.h"
#include "log.h"
#include "model.h"
#include "net.h"
#include "stop_signal.h"

static _Noreturn void serve(struct children *children, int listener, struct worker *worker)
{
    struct workers *workers = worker->all;
    children_begin(children);
    stop_signal_begin(-1, NULL);
    while (!stop_signal_came() && !atomic_load(&workers->stopping)) {
        int fd = accept_blocking(listener);
        if (fd < 0)
            continue;
        workers_admit(workers);
        atomic_store(&worker->has_client, true);
        stop_signal_watch(fd);
        serve_blocking(fd, worker);
        stop_signal_watch(-1);
        atomic_store(&worker->has_client, false);
        workers_release(workers);
        close(fd);
    }
    log_end();
    _exit(0); // not exit(): that would print what the parent has in stdout's buffer
}

// Forks the workers that are missing. If some cannot be forked now, the caller tries again
// later.
static void fill(struct children *children, int listener)
{
    for (int i = 0; i < children->workers->count; i++) {
        if (children->pids[i])
            continue;
        pid_t pid = fork();
        if (pid < 0)
            return;
        if (pid == 0)
            serve(children, listener, &children->workers->worker[i]);
        children->pids[i] = pid;
        children->count++;
    }
}

void run_prefork(struct workers *workers, int listener, int stop_fd)
{
    struct signalfd_siginfo signal;
    struct children children;
    int number;
    children_open(&children, workers);
    fill(&children, listener);
    if (!children.count)
        die("cannot fork: %s", strerror(errno));
    while (read(stop_fd, &signal, sizeof signal) < 0) {
        struct pollfd watched[] = {{stop_fd, POLLIN, 0}, {children.died_fd, POLLIN, 0}};
        int wait_ms = -1;
        if (children.count < workers->count) // one could not be forked: try again
            wait_ms = RETRY_MS;
        poll(watched, 2, wait_ms);
        while ((number = children_reap(&children)) >= 0)
            if (atomic_exchange(&workers->worker[number].has_client, false))
                workers_release(workers); // the client is lost with its worker
        fill(&children, listener);
    }
    workers_stop(workers);
    shutdown(listener, SHUT_RD); // it is one socket in all processes: every accept() returns
    close(listener);
    children_stop(&children, stop_fd);
}
