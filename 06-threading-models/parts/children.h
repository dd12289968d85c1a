// children.h: the processes that a parent has forked (fork, prefork), and what becomes of them.
#ifndef CHILDREN_H
#define CHILDREN_H

#include "workers.h"

struct children {
    struct workers *workers;
    pid_t *pids; // pids[i]: the process of worker i; 0: there is none
    int count;   // processes that there are
    int died_fd; // can be read when a child has died
};

// Prepares for as many children as there are workers.
void children_open(struct children *children, struct workers *workers);

// The child calls this first: from now on it dies with its parent, whatever the parent dies of,
// and has closed what belongs to the parent only.
void children_begin(struct children *children);

// Takes note of one dead child, so that it is no zombie any more. Returns which worker it was;
// -1: no child has died.
int children_reap(struct children *children);

// Tells all children to stop and waits for them, as long as workers_may_go_on() says so; then
// kills those that are left.
void children_stop(struct children *children, int stop_fd);

#endif
