// model_readers.c: one acceptor and N readers, each with an event loop of its own: memcached,
// and nginx's idea in threads. The main thread gives each new connection to the next reader,
// which keeps it until it is closed. So each reader gets as many connections as the others, but
// not as much work: how much work comes with a connection is not known yet.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model.h"
#include "net.h"

#define PROBE (-1) // in a pipe, in place of a connection: the reader shows that its loop runs

struct reader {
    struct worker *worker;
    int pipe[2]; // the main thread writes into it the numbers of this reader's connections
};

static atomic_int ready; // readers whose loop is running

// The reader's loop accepts its connections from the pipe. When the main thread closes the
// pipe, the loop stops.
static int accept_from_pipe(int pipe)
{
    int fd;
    ssize_t got = read(pipe, &fd, sizeof fd);
    if (got == 0)
        return LOOP_STOP;
    if (got == sizeof fd && fd != PROBE)
        return fd;
    if (got == sizeof fd)
        atomic_fetch_add(&ready, 1);
    errno = EAGAIN;
    return -1;
}

static void *serve(void *argument)
{
    struct reader *reader = argument;
    event_loop(reader->worker, reader->pipe[0], accept_from_pipe, -1);
    workers_thread_ends(reader->worker->all);
    return NULL;
}

static void start(struct reader *reader, struct worker *worker)
{
    int number = PROBE;
    reader->worker = worker;
    // A write to a pipe of so few bytes is whole or not at all: see pipe(7).
    if (pipe2(reader->pipe, O_CLOEXEC | O_NONBLOCK) ||
        write(reader->pipe[1], &number, sizeof number) != sizeof number ||
        workers_start_thread(worker->all, serve, reader))
        die("cannot start reader %d: %s", worker->number, strerror(errno));
}

// Gives each new connection to the next reader, until there is a signal to stop.
static void accept_for(struct reader *readers, unsigned count, int listener, int stop_fd)
{
    struct signalfd_siginfo signal;
    unsigned next = 0;
    while (read(stop_fd, &signal, sizeof signal) < 0) {
        struct pollfd watched[] = {{listener, POLLIN, 0}, {stop_fd, POLLIN, 0}};
        poll(watched, 2, -1);
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0 && write(readers[next++ % count].pipe[1], &fd, sizeof fd) < 0)
            close(fd); // the pipe is full: 16,384 connections wait for this reader already
        if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
            sleep_ms(RETRY_MS); // there is no free descriptor
    }
}

void run_readers(struct workers *workers, int listener, int stop_fd)
{
    struct reader *readers = calloc((size_t)workers->count, sizeof *readers);
    if (!readers)
        die("no memory for %d readers", workers->count);
    for (int i = 0; i < workers->count; i++)
        start(&readers[i], &workers->worker[i]);
    // Each loop needs a descriptor for epoll. Clients are accepted only when every loop has it,
    // so that they cannot take the last free descriptors.
    while (atomic_load(&ready) < workers->count)
        sleep_ms(1);
    net_set_nonblocking(listener);
    accept_for(readers, (unsigned)workers->count, listener, stop_fd);
    close(listener);
    workers_stop(workers);
    for (int i = 0; i < workers->count; i++)
        close(readers[i].pipe[1]);
    if (workers_wait(workers, stop_fd))
        free(readers); // else their threads still use them, until the program ends
}
