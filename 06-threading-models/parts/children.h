// children.h: the processes that a parent has forked (fork, prefork), and what becomes of them.
#ifndef CHILDREN_H
#define CHILDREN_H

#include "acceptor.h"
#include "crew.h"

struct children {
    struct crew *crew;
    pid_t *pids; // the child that is worker i; 0: there is none
    int count;
    int died_fd; // can be read when one has died
};

// Prepares for as many children as the crew has workers.
void children_open(struct children *children, struct crew *crew);

// For the child, first of all: from now on it dies with its parent, whatever that dies of, and
// has nothing of what belongs to the parent only.
void children_begin(struct children *children);

// Takes note of a dead child, so that it is no zombie any more. Returns which worker it was,
// and whether it has *crashed; -1: nobody has died.
int children_reap(struct children *children, bool *crashed);

// Tells all children to stop and waits for them, as long as acceptor_wait_for_end() says; then
// ends them.
void children_stop(struct children *children, struct acceptor *acceptor);

#endif
