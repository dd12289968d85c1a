// model_fork.c: a process for each connection, as PostgreSQL and inetd have it. The parent
// accepts and forks. The child blocks in read() for its one client, and exits when the client
// has closed. Children share nothing: if one crashes, only its client notices.
#include <stdlib.h>
#include <unistd.h>

#include "acceptor.h"
#include "blocking.h"
#include "children.h"
#include "log.h"
#include "model.h"
#include "net.h"
#include "stop_signal.h"

static int *free_numbers, free_count; // the workers without a connection

static _Noreturn void serve(struct children *children, struct acceptor *acceptor, int fd,
                            int number)
{
    children_begin(children);
    close(acceptor->stop_fd); // this and the listener belong to the parent
    acceptor_close(acceptor);
    stop_signal_watch(fd);
    stop_signal_begin(-1, NULL);
    serve_blocking(fd, &children->workers->worker[number]);
    log_end();
    _exit(0); // not exit(): that would print what the parent has in stdout's buffer
}

// Forks worker `number` for the connection. False: there can be no further process.
static bool start(struct children *children, struct acceptor *acceptor, int fd, int number)
{
    pid_t pid = fork();
    if (pid < 0)
        return false;
    if (pid == 0)
        serve(children, acceptor, fd, number);
    close(fd); // the child has its own
    children->pids[number] = pid;
    children->count++;
    return true;
}

void run_fork(struct workers *workers, int listener, int stop_fd)
{
    struct acceptor acceptor;
    struct children children;
    int fd, number;
    free_count = workers->count;
    free_numbers = calloc((size_t)free_count, sizeof *free_numbers);
    if (!free_numbers)
        die("no memory for %d children", free_count);
    for (int i = 0; i < free_count; i++)
        free_numbers[i] = free_count - 1 - i; // worker 0 is taken first
    children_open(&children, workers);
    acceptor_open(&acceptor, workers, listener, stop_fd, children.died_fd);
    while ((fd = acceptor_wait(&acceptor)) != ACCEPTOR_STOP) {
        while ((number = children_reap(&children)) >= 0) {
            free_numbers[free_count++] = number;
            workers_release(workers); // the parent does it: a child that crashed could not
        }
        if (fd == ACCEPTOR_OTHER)
            continue;
        if (free_count && start(&children, &acceptor, fd, free_numbers[free_count - 1]))
            free_count--;
        else
            acceptor_refuse(&acceptor, fd);
    }
    acceptor_close(&acceptor);
    workers_stop(workers);
    children_stop(&children, stop_fd);
    free(free_numbers);
}
