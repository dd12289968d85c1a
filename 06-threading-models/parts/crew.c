// crew.c: see crew.h.
#include "crew.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "net.h"

struct crew *crew_open(const char *model, const struct settings *settings, int workers)
{
    size_t bytes = sizeof(struct crew) + (size_t)workers * sizeof(struct worker);
    struct crew *crew =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (crew == MAP_FAILED)
        die("no memory for %d workers: %s", workers, strerror(errno));
    crew->model = model;
    crew->settings = *settings;
    crew->pid = getpid();
    crew->worker_count = workers;
    for (int i = 0; i < workers; i++) {
        crew->workers[i].crew = crew;
        crew->workers[i].number = i;
    }
    return crew;
}

bool crew_join(struct crew *crew)
{
    atomic_fetch_add(&crew->connections, 1);
    return atomic_fetch_add(&crew->open, 1) < crew->settings.conns;
}

void crew_leave(struct crew *crew)
{
    atomic_fetch_sub(&crew->open, 1);
}

int crew_thread(pthread_t *thread, const struct crew *crew, void *(*run)(void *),
                void *argument)
{
    pthread_attr_t attributes;
    size_t stack_bytes = (size_t)crew->settings.stack_kb * 1024;
    int error = pthread_attr_init(&attributes);
    if (!error && stack_bytes)
        error = pthread_attr_setstacksize(&attributes, stack_bytes);
    if (!error)
        error = pthread_create(thread, &attributes, run, argument);
    pthread_attr_destroy(&attributes);
    return error;
}

long crew_requests(const struct crew *crew)
{
    long sum = 0;
    for (int i = 0; i < crew->worker_count; i++)
        sum += atomic_load_explicit(&crew->workers[i].requests, memory_order_relaxed);
    return sum;
}
