// worker.h: one worker. It waits for connections in one of three ways, takes them and serves
// them.
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>

#include "stats.h"

// How a worker waits.
enum wait {
    IN_ACCEPT,      // in accept() itself: it has one connection at a time
    IN_EPOLL,       // in epoll_wait(), for the listening socket and all its connections
    IN_EPOLL_ALONE, // the same with EPOLLEXCLUSIVE: the kernel wakes one worker, not all
};

struct worker {
    int number; // 1 for the first worker
    enum wait wait;
    int listener; // the listening socket: a shard of its own, or the one that all workers share
    int stop_fd;  // epoll reports it when the worker is to end; stats->ending says how
    bool stuck;   // the worker takes no connection until it is told to end
    bool pinned;  // the worker runs on the CPU (number - 1) modulo CPUs only
    struct stats *stats;
};

// The worker's life: serves clients until the worker is told to end. The caller is a process or
// a thread of the worker's own.
void worker_run(const struct worker *worker);

#endif
