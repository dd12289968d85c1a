// model_thread.c: a thread for each connection, as MySQL and classic Java servers have it. The
// main thread accepts; each other thread blocks in read() for its one client. Threads share all
// memory: if one crashes, all are lost.
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "acceptor.h"
#include "blocking.h"
#include "model.h"
#include "net.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; // protects the three below
static int *fds;          // fds[i]: the connection of worker i; -1: none
static int *free_numbers; // a stack: the numbers of the workers that have no connection
static int free_count;    // numbers on that stack

// Serves one connection from the beginning to the end.
static void *serve(void *argument)
{
    struct worker *worker = argument;
    int fd = fds[worker->number]; // start() has set it before this thread began
    serve_blocking(fd, worker);
    // The connection is closed while the mutex is held: so wake_all(), in the main thread,
    // never shuts down a descriptor whose number belongs to another connection by now.
    pthread_mutex_lock(&mutex);
    fds[worker->number] = -1;
    close(fd);
    free_numbers[free_count++] = worker->number;
    pthread_mutex_unlock(&mutex);
    workers_release(worker->all);
    workers_thread_ends(worker->all);
    return NULL;
}

// Starts a thread for the connection. False: no worker is free, or there can be no more
// threads.
static bool start(struct workers *workers, int fd)
{
    bool started = false;
    pthread_mutex_lock(&mutex);
    if (free_count > 0) {
        int number = free_numbers[free_count - 1];
        fds[number] = fd;
        // 0: there is a new thread, which calls serve().
        started = workers_start_thread(workers, serve, &workers->worker[number]) == 0;
        if (started)
            free_count--;
        else
            fds[number] = -1;
    }
    pthread_mutex_unlock(&mutex);
    return started;
}

// Shuts all connections down for reading: every read() that waits for a client returns 0.
static void wake_all(const struct workers *workers)
{
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < workers->count; i++)
        if (fds[i] >= 0)
            shutdown(fds[i], SHUT_RD);
    pthread_mutex_unlock(&mutex);
}

void run_thread(struct workers *workers, int listener, int stop_fd)
{
    struct acceptor acceptor;
    int fd;
    fds = calloc((size_t)workers->count, sizeof *fds);
    free_numbers = calloc((size_t)workers->count, sizeof *free_numbers);
    if (!fds || !free_numbers)
        die("no memory for %d threads", workers->count);
    free_count = workers->count;
    for (int i = 0; i < workers->count; i++) {
        fds[i] = -1;
        free_numbers[i] = workers->count - 1 - i; // worker 0 is taken first
    }
    acceptor_open(&acceptor, workers, listener, stop_fd, -1);
    while ((fd = acceptor_wait(&acceptor)) != ACCEPTOR_STOP)
        if (!start(workers, fd))
            acceptor_refuse(&acceptor, fd);
    acceptor_close(&acceptor);
    workers_stop(workers);
    wake_all(workers);
    if (!workers_wait(workers, stop_fd))
        return; // threads that still run use the arrays; the end of the program ends them
    free(fds);
    free(free_numbers);
}
