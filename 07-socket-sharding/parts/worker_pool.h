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
        int64_t began_ns;
        int64_t again_ns; // when to replace the worker; 0: it runs
    } member[WORKERS_MAX];
};

// Prepares a pool. The caller then sets in pool->worker[i] how each worker waits, its listener
// and so on. Dies if the pool cannot be had.
void worker_pool_begin(struct worker_pool *pool, int workers, bool threads);

// Starts all workers, and waits until each is ready.
void worker_pool_start(struct worker_pool *pool);

// Finds out which workers have died, and replaces each, at most once in RESTART_MS. Call it
// after each SIGCHLD, and again after as many milliseconds as it returns (-1: only after the
// next SIGCHLD).
int worker_pool_mend(struct worker_pool *pool);

// Tells all workers to end, and how; waits until they have ended. When `stop_fd` can be read (a
// second signal has come), they end at once.
void worker_pool_end(struct worker_pool *pool, enum ending how, int stop_fd);

#endif
