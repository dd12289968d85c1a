// cpu_slots.c: see cpu_slots.h.
#include "cpu_slots.h"

static void enqueue(struct cpu_slots *cores, struct worker *worker)
{
    worker->waits = true;
    worker->previous = cores->last;
    worker->next = NULL;
    if (cores->last)
        cores->last->next = worker;
    else
        cores->first = worker;
    cores->last = worker;
    cores->waiting++;
}

static void dequeue(struct cpu_slots *cores, struct worker *worker)
{
    worker->waits = false;
    if (worker->previous)
        worker->previous->next = worker->next;
    else
        cores->first = worker->next;
    if (worker->next)
        worker->next->previous = worker->previous;
    else
        cores->last = worker->previous;
    cores->waiting--;
}

bool cpu_slots_take(struct cpu_slots *cores, struct worker *worker, struct conn *conn)
{
    worker->conn = conn;
    worker->has_core = cores->busy < cores->count;
    cores->busy += worker->has_core;
    if (!worker->has_core)
        enqueue(cores, worker);
    return worker->has_core;
}

void cpu_slots_leave(struct cpu_slots *cores, struct worker *worker)
{
    struct worker *next = cores->first;
    if (worker->waits)
        dequeue(cores, worker);
    if (!worker->has_core)
        return;
    worker->has_core = false;
    if (!next) {
        cores->busy--;
        return;
    }
    dequeue(cores, next); // the core stays busy: `next` has it now
    next->has_core = true;
    conn_wake(next->conn);
}
