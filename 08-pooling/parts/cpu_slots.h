// cpu_slots.h: the server's cores, as slots: so many queries are worked on at once, and the
// others wait, first come, first served. A model: the time of a query passes as a timer.
#ifndef CPU_SLOTS_H
#define CPU_SLOTS_H

#include <stdbool.h>

#include "loop.h"

// One session's place among those that want a core. All zero: it wants none.
struct worker {
    struct conn *conn;
    bool has_core, waits;
    struct worker *previous, *next; // in the queue
};

struct cpu_slots {
    int count;         // that there are
    int busy, waiting; // that are taken; workers in the queue
    struct worker *first, *last;
};

// Takes a core for the worker's connection. False: there is none now; the connection's deadline
// will pass when it has got one.
bool cpu_slots_take(struct cpu_slots *cores, struct worker *worker, struct conn *conn);

// Gives the core back, to the first that waits; or leaves the queue.
void cpu_slots_leave(struct cpu_slots *cores, struct worker *worker);

#endif
