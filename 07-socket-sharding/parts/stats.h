// stats.h: what every worker has done. The numbers lie in memory that the supervisor and all
// workers share, whether the workers are processes or threads.
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

// Only one worker writes to a line. So each line has a cache line of its own, and no worker
// slows another one down.
struct worker_stats {
    _Atomic int pid, tid;  // 0: the worker does not run
    int listener;          // the descriptor of its listening socket, the same in all processes
    _Atomic long accepted; // connections
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

// Returns memory that stays shared after fork(). Dies if there is none.
struct stats *stats_begin(int workers);

void stats_end(struct stats *stats);

// Adds one to a figure. A worker calls it for its own line only.
void stats_count(_Atomic long *figure);

// All lines as text: a heading, then for each worker ten numbers:
//
//     worker pid tid accepted wakeups vain answered switches queue backlog
//
// "switches": how often the worker has gone to sleep, by the kernel's count. "queue":
// connections that wait for accept() in its listening socket. "backlog": what listen() was
// told, or net.core.somaxconn if that is less. Returns the text's length; lines that do not fit
// are left out.
#define STATS_BYTES (100 + WORKERS_MAX * 110)
size_t stats_text(const struct stats *stats, char *text, size_t size);

// The sum of one figure over all workers.
enum stats_field { ACCEPTED, WAKEUPS, VAIN, ANSWERED };
long stats_sum(const struct stats *stats, enum stats_field which);

#endif
