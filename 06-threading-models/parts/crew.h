// crew.h: all who serve: what they were told, and what each has done. It lies in memory that a
// fork() shares, so that the numbers of all processes come together here.
#ifndef CREW_H
#define CREW_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CREW_STOP_MS     5000  // that requests under way may take when the server is to stop
#define CREW_STALL_MS    15000 // a client that takes nothing of an answer for so long is dropped
#define CREW_LINGER_MS   1000  // how long we read on, and throw away, after our last byte
#define CREW_WORKERS_MAX 20000
#define CREW_CONNS_MAX   20000

struct settings {
    int workers, queue, conns; // --workers, --queue, --connections
    int stack_kb;              // of a thread; 0: what the system gives
    int idle_ms, head_ms;      // until a silent client is closed; that a whole head may take
    bool allow_crash;          // /crash crashes
};

// One who runs the handler: a process or a thread. Only it changes its numbers.
struct worker {
    _Alignas(64) struct crew *crew; // each has a cache line of its own
    int number;
    atomic_long requests; // that it has answered
    atomic_bool talking;  // prefork: it has a client, who is lost with it
};

struct crew {
    const char *model;
    struct settings settings;
    pid_t pid;               // of the server: the parent, where there are children
    atomic_bool stopping;    // answer what is under way, and close
    atomic_int open;         // connections at this moment
    atomic_long connections; // that were accepted
    atomic_long refused;     // connections and requests that were answered 503
    atomic_long crashed;     // processes that were lost, and replaced where there are N
    int worker_count;        // the length of:
    struct worker workers[];
};

// A crew of so many workers. Dies if there is no memory for it.
struct crew *crew_open(const char *model, const struct settings *settings, int workers);

// Counts a connection that was accepted. False: it is one more than --connections allows, and
// is to be refused; it counts as open all the same until crew_leave().
bool crew_join(struct crew *crew);
void crew_leave(struct crew *crew);

// Starts a thread with a stack as --stack says. Returns 0 or an error number.
int crew_thread(pthread_t *thread, const struct crew *crew, void *(*run)(void *),
                void *argument);

long crew_requests(const struct crew *crew); // of all workers

#endif
