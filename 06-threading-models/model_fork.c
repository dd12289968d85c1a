// model_fork.c: a process for each connection, as PostgreSQL and inetd have it. The parent
// accepts and forks; the child blocks in read() for its one client, and exits when that has
// closed. Children share nothing: if one crashes, only its client notices.
#include <stdlib.h>
#include <unistd.h>

#include "acceptor.h"
#include "children.h"
#include "conversation.h"
#include "interrupt.h"
#include "model.h"
#include "net.h"

static _Noreturn void serve(struct children *children, struct acceptor *acceptor, int fd,
                            int place)
{
    children_begin(children);
    close(acceptor->stop_fd);
    acceptor_close(acceptor); // these are the parent's
    interrupt_watch(fd);
    interrupt_begin(-1, NULL);
    converse(fd, &children->crew->workers[place]);
    _exit(0); // not exit(): what is in stdout's buffer is the parent's too
}

// False: there is no place, or no process to be had.
static bool start(struct children *children, struct acceptor *acceptor, int fd, int place)
{
    pid_t pid = place < 0 ? -1 : fork();
    if (pid < 0)
        return false;
    if (pid == 0)
        serve(children, acceptor, fd, place);
    close(fd); // the child has its own
    children->pids[place] = pid;
    children->count++;
    return true;
}

static void run(struct crew *crew, int listener, int stop_fd)
{
    struct acceptor acceptor;
    struct children children;
    bool crashed;
    int fd, place, free_count = crew->worker_count;
    int *free_places = calloc((size_t)free_count, sizeof *free_places);
    if (!free_places)
        die("no memory for %d children", free_count);
    for (int i = 0; i < free_count; i++)
        free_places[i] = free_count - 1 - i; // the first one is taken first
    children_open(&children, crew);
    acceptor_open(&acceptor, crew, listener, stop_fd, children.died_fd);
    while ((fd = acceptor_wait(&acceptor)) != ACCEPTOR_STOP) {
        while ((place = children_reap(&children, &crashed)) >= 0) {
            free_places[free_count++] = place;
            crew_leave(crew); // not the child: a crashed one would not
        }
        if (fd == ACCEPTOR_OTHER)
            continue;
        if (start(&children, &acceptor, fd, free_count ? free_places[free_count - 1] : -1))
            free_count--;
        else
            acceptor_refuse(&acceptor, fd);
    }
    acceptor_close(&acceptor);
    atomic_store(&crew->stopping, true);
    children_stop(&children, &acceptor);
    free(free_places);
}

const struct model model_fork = {"fork", "a process for each connection",
                                 ONE_FOR_EACH_CONNECTION, run};
