// worker_pool.h: the workers of a server, as processes or as threads: starts them, replaces a
// process that has died, ends them all.
#ifndef WORKER_POOL_H
#define WORKER_POOL_H

#include <pthread.h>

#include "worker.h"

struct worker_pool {
    bool threads;
    int workers;
    int stop[2]; // a pipe: when its writing end closes, its reading end tells all workers
    struct stats *stats;
    struct worker worker[WORKERS_MAX];
    struct {
        pthread_t thread;
        pid_t pid;
        int64_t began_ns, again_ns; // again_ns: when to replace it; 0: it runs
    } member[WORKERS_MAX];
};

// Begins a pool of `workers`, whose listeners, ways to wait and so on are then set in
// pool->worker[i]. Dies if it cannot.
void worker_pool_begin(struct worker_pool *pool, int workers, bool threads);

// Starts all of them.
void worker_pool_start(struct worker_pool *pool);

// After SIGCHLD: finds out which worker has ended, and replaces it, at most once in RESTART_MS.
// Returns in how many milliseconds to call it again, -1: not before the next SIGCHLD.
int worker_pool_mend(struct worker_pool *pool);

// Tells all to end, in which way, and waits until they have. `stop_fd`: when it becomes
// readable (a second signal has come), they end at once.
void worker_pool_end(struct worker_pool *pool, enum ending how, int stop_fd);

#endif
