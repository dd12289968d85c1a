// acceptor.h: accepts connections for all workers, in the main thread (fork, thread). It waits
// for clients, for the signal to stop, and for one descriptor more (fork: a child has ended).
// When no descriptor is free, it makes a pause and tries again. If there is no worker for a
// client, the client gets a 503 at once.
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "workers.h"

#define ACCEPTOR_REFUSED_MAX 64 // refused clients that may still be reading the reason

enum { ACCEPTOR_STOP = -1, ACCEPTOR_OTHER = -2 };

struct acceptor {
    struct workers *workers;
    int listener, stop_fd;
    int other_fd;                         // one descriptor more to wait for; -1: none
    int64_t pause_until_ns;               // no accept() before this time; 0: no pause
    unsigned refused_first, refused_next; // the part of refused[], a ring, that is in use
    struct refused {
        int fd;
        int64_t close_ns;
    } refused[ACCEPTOR_REFUSED_MAX];
};

// Prepares to accept. `other_fd` may be -1.
void acceptor_open(struct acceptor *a, struct workers *workers, int listener, int stop_fd,
                   int other_fd);

// Sleeps until there is something to do. Returns a client's connection, which workers_admit()
// has counted; ACCEPTOR_OTHER if other_fd can be read; ACCEPTOR_STOP if there was a signal to
// stop. A connection that is more than --connections allows is refused here.
int acceptor_wait(struct acceptor *a);

// Answers 503, closes a little later, and calls workers_release() for the connection.
void acceptor_refuse(struct acceptor *a, int fd);

// Stops accepting: closes the listener, and the connections that were refused.
void acceptor_close(struct acceptor *a);

#endif
