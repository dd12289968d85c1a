// model_readers.c: one acceptor and N readers, each with an event loop of its own: memcached,
// nginx's idea in threads. The main thread gives each new connection to the next reader, for
// good. What is balanced is connections: how much work comes with one nobody knows yet.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "acceptor.h"
#include "loop.h"
#include "model.h"
#include "net.h"
#include "session.h"

struct reader {
    pthread_t thread;
    struct worker *worker;
    struct loop_server server;
    int pipe[2]; // the numbers of the connections that are for it
    int stop_fd; // an eventfd: written when it is to stop
    int word_fd; // an eventfd of all readers: written when it is there, and when it has ended
};

static _Thread_local struct reader *me;

static void signal_event(int fd)
{
    uint64_t one = 1;
    if (write(fd, &one, sizeof one) < 0)
        die("cannot write to an eventfd: %s", strerror(errno));
}

// The reader's side: its loop accepts from the pipe. -1: the main thread asks whether the loop
// is there.
static int accept_from_pipe(int pipe)
{
    int fd;
    ssize_t got = read(pipe, &fd, sizeof fd);
    if (got == sizeof fd && fd >= 0)
        return fd;
    if (got == sizeof fd)
        signal_event(me->word_fd);
    errno = EAGAIN;
    return -1;
}

static void *serve(void *argument)
{
    struct reader *reader = argument;
    me = reader;
    session_begin(reader->worker);
    loop_serve(reader->pipe[0], reader->stop_fd, &reader->server);
    signal_event(reader->word_fd);
    return NULL;
}

// Returns when the reader has all that it needs: the first clients could take the last
// descriptors.
static void start(struct reader *reader, struct worker *worker, int word_fd)
{
    int are_you_there = -1;
    uint64_t one;
    reader->worker = worker;
    reader->server = session_server(worker->crew->settings.conns);
    reader->server.accept = accept_from_pipe;
    reader->stop_fd = eventfd(0, EFD_CLOEXEC);
    reader->word_fd = word_fd;
    // A write to it is whole or not at all: nobody ever reads half a number.
    if (reader->stop_fd < 0 || pipe2(reader->pipe, O_CLOEXEC | O_NONBLOCK) ||
        crew_thread(&reader->thread, worker->crew, serve, reader) ||
        write(reader->pipe[1], &are_you_there, sizeof are_you_there) < 0 ||
        read(word_fd, &one, sizeof one) < 0)
        die("cannot start reader %d", worker->number);
}

// True when all have ended. The second time they do so at once, but we do not wait for who
// computes.
static bool stop(struct reader *readers, int count, struct acceptor *acceptor)
{
    int left = count;
    for (int i = 0; i < count; i++)
        signal_event(readers[i].stop_fd);
    while (left > 0 && acceptor_wait_for_end(acceptor)) {
        uint64_t one;
        left -= read(acceptor->other_fd, &one, sizeof one) == sizeof one;
    }
    return !left;
}

static void run(struct crew *crew, int listener, int stop_fd)
{
    static struct reader *readers; // one that we do not wait for may still use it
    int fd, count = crew->worker_count, word_fd = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
    struct acceptor acceptor;
    readers = calloc((size_t)count, sizeof *readers);
    if (!readers || word_fd < 0)
        die("no memory for %d readers", count);
    for (int i = 0; i < count; i++)
        start(&readers[i], &crew->workers[i], word_fd);
    acceptor_open(&acceptor, crew, listener, stop_fd, word_fd);
    acceptor.flags |= SOCK_NONBLOCK;
    for (unsigned next = 0; (fd = acceptor_wait(&acceptor)) != ACCEPTOR_STOP; next++)
        if (write(readers[next % (unsigned)count].pipe[1], &fd, sizeof fd) != sizeof fd)
            acceptor_refuse(&acceptor, fd); // so many wait for this reader already
    acceptor_close(&acceptor);
    atomic_store(&crew->stopping, true);
    bool ended = stop(readers, count, &acceptor); // else the end of the program ends them
    for (int i = 0; i < count; i++)
        ended ? pthread_join(readers[i].thread, NULL) : pthread_detach(readers[i].thread);
    if (!ended)
        return;
    for (int i = 0; i < count; i++) {
        close(readers[i].pipe[1]);
        close(readers[i].stop_fd);
    }
    close(word_fd);
    free(readers);
}

const struct model model_readers = {"readers", "an acceptor, and N event loops in threads",
                                    MANY, run};
