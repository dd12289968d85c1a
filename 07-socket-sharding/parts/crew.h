// crew.h: the workers of a server, as processes or as threads: starts them, replaces a process
// that has died, ends them all.
#ifndef CREW_H
#define CREW_H

#include <pthread.h>

#include "worker.h"

struct crew {
    bool threads;
    int workers;
    int stop[2]; // a pipe: when its writing end closes, its reading end tells all workers
    struct figures *figures;
    struct worker worker[WORKERS_MAX];
    struct {
        pthread_t thread;
        pid_t pid;
        int64_t began_ns, again_ns; // again_ns: when to replace it; 0: it runs
    } member[WORKERS_MAX];
};

// Begins a crew of `workers`, whose listeners, ways to wait and so on are then set in
// crew->worker[i]. Dies if it cannot.
void crew_begin(struct crew *crew, int workers, bool threads);

// Starts all of them.
void crew_start(struct crew *crew);

// After SIGCHLD: finds out who has ended, and replaces it, at most once in RESTART_MS.
// Returns in how many milliseconds to call it again, -1: not before the next SIGCHLD.
int crew_mend(struct crew *crew);

// Tells all to end, in which way, and waits until they have. `stop_fd`: when it becomes
// readable (somebody has asked twice), they end at once.
void crew_end(struct crew *crew, enum ending how, int stop_fd);

#endif
