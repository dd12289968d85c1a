// cpu_slots.h: the server's cores. At most `count` queries run at the same time; the others
// wait in a queue, first come, first served. It is a model: a query that runs is a timer.
#ifndef CPU_SLOTS_H
#define CPU_SLOTS_H

#include <stdbool.h>

#include "loop.h"

// One session's place in the queue. All zero: the session needs no core.
struct worker {
    struct conn *conn;
    bool has_core, waits;
    struct worker *previous, *next; // in the queue
};

struct cpu_slots {
    int count;                   // cores
    int busy;                    // cores that are taken
    int waiting;                 // workers in the queue
    struct worker *first, *last; // the queue
};

// Takes a core for the worker's connection. False: all cores are busy, and the worker waits in
// the queue; woken() of its connection is called when the worker has got a core.
bool cpu_slots_take(struct cpu_slots *cores, struct worker *worker, struct conn *conn);

// The worker gives its core to the first worker in the queue, or leaves the queue itself.
void cpu_slots_leave(struct cpu_slots *cores, struct worker *worker);

#endif
