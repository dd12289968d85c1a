// workers.c: see workers.h.
#include "workers.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

#define NAP_MS 10 // between two looks at the counter, while the server stops

struct workers *workers_open(const char *model, const struct settings *settings, int count)
{
    size_t bytes = sizeof(struct workers) + (size_t)count * sizeof(struct worker);
    struct workers *workers =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (workers == MAP_FAILED)
        die("no memory for %d workers: %s", count, strerror(errno));
    workers->model = model;
    workers->settings = *settings;
    workers->pid = getpid();
    workers->count = count;
    for (int i = 0; i < count; i++) {
        workers->worker[i].all = workers;
        workers->worker[i].number = i;
    }
    return workers;
}

bool workers_admit(struct workers *workers)
{
    atomic_fetch_add(&workers->connections, 1);
    return atomic_fetch_add(&workers->open, 1) < workers->settings.connections;
}

void workers_release(struct workers *workers)
{
    atomic_fetch_sub(&workers->open, 1);
}

void *workers_open_client(struct workers *workers, int fd, size_t bytes, bool *refused)
{
    void *memory = calloc(1, bytes);
    *refused = !workers_admit(workers);
    if (!memory || *refused)
        workers_release(workers); // a refused connection does not count as open
    if (!memory)
        close(fd);
    else
        net_send_at_once(fd);
    return memory;
}

int workers_start_thread(struct workers *workers, void *(*run)(void *), void *argument)
{
    pthread_t thread;
    pthread_attr_t attributes;
    size_t stack_bytes = (size_t)workers->settings.stack_kb * 1024;
    int error = pthread_attr_init(&attributes);
    if (!error && stack_bytes)
        error = pthread_attr_setstacksize(&attributes, stack_bytes);
    if (!error)
        error = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    atomic_fetch_add(&workers->running, 1);
    if (!error)
        error = pthread_create(&thread, &attributes, run, argument);
    if (error)
        atomic_fetch_sub(&workers->running, 1);
    pthread_attr_destroy(&attributes);
    return error;
}

void workers_thread_ends(struct workers *workers)
{
    atomic_fetch_sub(&workers->running, 1);
}

void workers_stop(struct workers *workers)
{
    workers->stop_until_ns = now_ns() + STOP_MS * INT64_C(1000000);
    atomic_store(&workers->stopping, true);
}

bool workers_may_go_on(const struct workers *workers, int stop_fd)
{
    struct pollfd signal = {stop_fd, POLLIN, 0};
    if (now_ns() >= workers->stop_until_ns)
        return false;
    return poll(&signal, 1, NAP_MS) < 1;
}

bool workers_wait(struct workers *workers, int stop_fd)
{
    bool ended = false;
    // Looks once more after the counter is 0: so the last thread has time to leave its stack.
    while (!ended) {
        ended = atomic_load(&workers->running) == 0;
        if (!workers_may_go_on(workers, stop_fd))
            return ended;
    }
    return true;
}

long workers_requests(const struct workers *workers)
{
    long sum = 0;
    for (int i = 0; i < workers->count; i++)
        sum += atomic_load_explicit(&workers->worker[i].requests, memory_order_relaxed);
    return sum;
}

size_t workers_report(const struct workers *workers, char *text, size_t size)
{
    size_t length =
        (size_t)snprintf(text, size,
                         "model: %s\npid: %d\nopen: %d\nconnections: %ld\nrequests: %ld\n"
                         "refused: %ld\ncrashed: %ld\nserved:",
                         workers->model, workers->pid, atomic_load(&workers->open),
                         atomic_load(&workers->connections), workers_requests(workers),
                         atomic_load(&workers->refused), atomic_load(&workers->crashed));
    for (int i = 0; i < workers->count && length + 30 < size; i++) {
        long served = atomic_load_explicit(&workers->worker[i].requests, memory_order_relaxed);
        if (served)
            length += (size_t)snprintf(text + length, 30, " %ld", served);
    }
    strcpy(text + length, "\n");
    return length + 1;
}
