// stats.h: what every worker has done, in memory that the supervisor and all workers share,
// be they processes or threads.
#ifndef STATS_H
#define STATS_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define WORKERS_MAX 64

// How the workers are to end.
enum ending {
    RUNNING,     // not yet
    DRAINING,    // serve what waits in the accept queue, then stop listening
    HANDED_OVER, // another server has the listening sockets: leave them as they are
    AT_ONCE,     // drop the connections that are still being served
};

// One worker writes its own line, so a line has the cache lines to itself.
struct worker_stats {
    _Atomic int pid, tid; // 0: it does not run
    int listener;         // the descriptor, the same in all processes
    _Atomic long accepted;
    _Atomic long wakeups;  // accept() returned, or epoll_wait() named the listening socket
    _Atomic long vain;     // of these: another worker had taken the connection
    _Atomic long answered; // requests, with 200
} __attribute__((aligned(128)));

struct stats {
    _Atomic int ending; // enum ending
    int workers;
    sem_t settled; // each worker posts it once, when it is ready for connections
    struct worker_stats line[WORKERS_MAX];
};

// Memory that stays shared across fork(). Never NULL: dies without.
struct stats *stats_begin(int workers);

void stats_end(struct stats *stats);

// Adds one to a figure of one's own line.
void stats_count(_Atomic long *figure);

// All lines as text: a heading, then for each worker ten numbers:
//
//     worker pid tid accepted wakeups vain answered switches queue backlog
//
// "switches": how often it has gone to sleep, by the kernel's count. "queue": connections that
// wait in its listening socket for accept(); "backlog": how many may, as listen() was told,
// cut to net.core.somaxconn. Returns the length; what does not fit is left out.
#define STATS_BYTES (100 + WORKERS_MAX * 110)
size_t stats_text(const struct stats *stats, char *text, size_t size);

// One figure of all workers together.
enum stats_field { ACCEPTED, WAKEUPS, VAIN, ANSWERED };
long stats_sum(const struct stats *stats, enum stats_field which);

#endif
