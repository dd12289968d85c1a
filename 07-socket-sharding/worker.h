// worker.h: one worker: it waits for connections in one of three ways, takes them, serves them.
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>

#include "stats.h"

// How it waits.
enum wait {
    IN_ACCEPT,      // in accept() itself: one connection at a time
    IN_EPOLL,       // in epoll_wait(), for the listening socket and all connections
    IN_EPOLL_ALONE, // the same with EPOLLEXCLUSIVE: "do not wake me if you woke another"
};

struct worker {
    int number; // 1 ...
    enum wait wait;
    int listener; // its own shard, or the socket that all share
    int stop_fd;  // hangs up when it is time to end; stats->ending says how
    bool stuck;   // it takes no connection before that
    bool pinned;  // to the CPU (number - 1) modulo CPUs
    struct stats *stats;
};

// Serves until it is told to end. In a process or a thread of its own.
void worker_run(const struct worker *worker);

#endif
