// model_thread.c: a thread for each connection, as MySQL and classic Java servers have it. The
// main thread accepts; each other thread blocks in read() for its one client. Threads share all
// memory: a crash of one is the end of all.
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "acceptor.h"
#include "conversation.h"
#include "model.h"
#include "net.h"

struct session {
    struct threads *threads;
    struct worker *worker;
    int fd; // -1: this place is free
};

struct threads {
    struct crew *crew;
    pthread_mutex_t mutex; // of all that follows
    struct session *sessions;
    int *free_places, free_count, alive;
    bool any_ended;
    pthread_t last_ended; // which nobody has joined yet
    int all_ended_fd;     // an eventfd: written when the last one ends, and we wait for it
};

// Frees the place, and closes the connection only then: while it has a place, the main thread
// may shut it down. Who ends joins who ended before: so at most one is ever not joined.
static void leave(struct threads *threads, struct session *session)
{
    uint64_t one = 1;
    int fd = session->fd;
    pthread_mutex_lock(&threads->mutex);
    session->fd = -1;
    threads->free_places[threads->free_count++] = session->worker->number;
    bool any_before = threads->any_ended;
    pthread_t before = threads->last_ended;
    threads->any_ended = true;
    threads->last_ended = pthread_self();
    crew_leave(threads->crew);
    close(fd);
    threads->alive--;
    if (!threads->alive && atomic_load(&threads->crew->stopping) &&
        write(threads->all_ended_fd, &one, sizeof one) < 0)
        die("cannot write to an eventfd");
    pthread_mutex_unlock(&threads->mutex);
    if (any_before)
        pthread_join(before, NULL);
}

static void *serve(void *argument)
{
    struct session *session = argument;
    converse(session->fd, session->worker);
    leave(session->threads, session);
    return NULL;
}

// False: there is no place, or no thread to be had.
static bool start(struct threads *threads, int fd)
{
    pthread_t thread;
    bool started = false;
    pthread_mutex_lock(&threads->mutex);
    if (threads->free_count) {
        struct session *session =
            &threads->sessions[threads->free_places[threads->free_count - 1]];
        session->fd = fd;
        started = !crew_thread(&thread, threads->crew, serve, session);
        if (started) {
            threads->free_count--;
            threads->alive++;
        } else {
            session->fd = -1;
        }
    }
    pthread_mutex_unlock(&threads->mutex);
    return started;
}

// Wakes everybody who blocks in read(). Returns how many threads there are.
static int wake_all(struct threads *threads)
{
    pthread_mutex_lock(&threads->mutex);
    for (int i = 0; i < threads->crew->worker_count; i++)
        if (threads->sessions[i].fd >= 0)
            shutdown(threads->sessions[i].fd, SHUT_RD);
    int alive = threads->alive;
    pthread_mutex_unlock(&threads->mutex);
    return alive;
}

static void prepare(struct threads *threads, struct crew *crew)
{
    int places = crew->worker_count;
    *threads = (struct threads){.crew = crew, .mutex = PTHREAD_MUTEX_INITIALIZER};
    threads->sessions = calloc((size_t)places, sizeof *threads->sessions);
    threads->free_places = calloc((size_t)places, sizeof *threads->free_places);
    threads->all_ended_fd = eventfd(0, EFD_CLOEXEC);
    if (!threads->sessions || !threads->free_places || threads->all_ended_fd < 0)
        die("cannot prepare %d threads", places);
    for (int i = 0; i < places; i++) {
        threads->sessions[i] = (struct session){threads, &crew->workers[i], -1};
        threads->free_places[i] = places - 1 - i; // the first one is taken first
    }
    threads->free_count = places;
}

static void run(struct crew *crew, int listener, int stop_fd)
{
    static struct threads threads; // a thread that we do not wait for may still use it
    struct acceptor acceptor;
    int fd;
    prepare(&threads, crew);
    acceptor_open(&acceptor, crew, listener, stop_fd, threads.all_ended_fd);
    while ((fd = acceptor_wait(&acceptor)) != ACCEPTOR_STOP)
        if (!start(&threads, fd))
            acceptor_refuse(&acceptor, fd);
    acceptor_close(&acceptor);
    atomic_store(&crew->stopping, true);
    if (wake_all(&threads) && !acceptor_wait_for_end(&acceptor))
        return;                         // the end of the program ends them
    pthread_mutex_lock(&threads.mutex); // the last one has left this
    pthread_mutex_unlock(&threads.mutex);
    if (threads.any_ended)
        pthread_join(threads.last_ended, NULL);
    close(threads.all_ended_fd);
    free(threads.sessions);
    free(threads.free_places);
}

const struct model model_thread = {"thread", "a thread for each connection",
                                   ONE_FOR_EACH_CONNECTION, run};
