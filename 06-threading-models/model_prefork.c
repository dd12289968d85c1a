// model_prefork.c: N processes that were forked beforehand, all of them in accept() on the one
// socket that they have inherited: Apache's prefork, Unicorn, PHP-FPM. The kernel gives each
// client to one of them, which talks with it until it closes: N clients are served, the next
// one waits in the kernel's queue. The parent only watches, and replaces who crashes.
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "acceptor.h"
#include "children.h"
#include "conversation.h"
#include "interrupt.h"
#include "model.h"
#include "net.h"

#define PAUSE_MS 100 // after accept() found no free descriptor

static _Noreturn void serve(struct children *children, int listener, int place)
{
    struct crew *crew = children->crew;
    struct worker *worker = &crew->workers[place];
    children_begin(children);
    interrupt_begin(-1, NULL);
    while (!interrupt_came() && !atomic_load(&crew->stopping)) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EINVAL) // EINVAL: shut down
                sleep_ms(PAUSE_MS);
            continue;
        }
        crew_join(crew);
        atomic_store(&worker->talking, true);
        interrupt_watch(fd);
        converse(fd, worker);
        interrupt_watch(-1);
        atomic_store(&worker->talking, false);
        crew_leave(crew);
        close(fd);
    }
    _exit(0); // not exit(): what is in stdout's buffer is the parent's too
}

// Fills the places that are empty; if that fails, `watcher` will say when to try again.
static void start(struct children *children, int listener, struct acceptor *watcher)
{
    for (int i = 0; i < children->crew->worker_count; i++) {
        pid_t pid = children->pids[i] ? -1 : fork();
        if (pid == 0)
            serve(children, listener, i);
        if (pid > 0) {
            children->pids[i] = pid;
            children->count++;
        }
    }
    if (children->count < children->crew->worker_count)
        acceptor_pause(watcher);
}

static void run(struct crew *crew, int listener, int stop_fd)
{
    struct acceptor watcher; // who accepts nothing: it only waits
    struct children children;
    bool crashed;
    int place;
    children_open(&children, crew);
    acceptor_open(&watcher, crew, -1, stop_fd, children.died_fd);
    start(&children, listener, &watcher);
    if (!children.count)
        die("cannot fork: %s", strerror(errno));
    while (acceptor_wait(&watcher) != ACCEPTOR_STOP) {
        while ((place = children_reap(&children, &crashed)) >= 0)
            if (atomic_exchange(&crew->workers[place].talking, false))
                crew_leave(crew); // its client is gone with it
        start(&children, listener, &watcher);
    }
    atomic_store(&crew->stopping, true);
    shutdown(listener, SHUT_RD); // it is one socket in all processes: every accept() returns
    close(listener);
    acceptor_close(&watcher);
    children_stop(&children, &watcher);
}

const struct model model_prefork = {"prefork", "N processes, each accepts for itself", MANY,
                                    run};
