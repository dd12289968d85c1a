// cpu_slots.c: see cpu_slots.h.
#include "cpu_slots.h"

static void enqueue(struct cpu_slots *cores, struct worker *worker)
{
    worker->waits = true;
    worker->previous = cores->last;
    worker->next = NULL;
    *(cores->last ? &cores->last->next : &cores->first) = worker;
    cores->last = worker;
    cores->waiting++;
}

static void dequeue(struct cpu_slots *cores, struct worker *worker)
{
    worker->waits = false;
    *(worker->previous ? &worker->previous->next : &cores->first) = worker->next;
    *(worker->next ? &worker->next->previous : &cores->last) = worker->previous;
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
    dequeue(cores, next); // the core goes from hand to hand, and stays busy
    next->has_core = true;
    conn_wake(next->conn);
}
