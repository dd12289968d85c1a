// acceptor.h: the one thread that accepts for all the others (fork, thread, readers): it waits
// for clients, for the order to stop, and for one thing more; it survives that there are no
// descriptors left; and it tells whom nobody has time for so, at once.
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "crew.h"

#define ACCEPTOR_REFUSED_MAX 64  // refused clients that may still be reading the reason
#define ACCEPTOR_PAUSE_MS    100 // after accept() found no free descriptor, or fork() no process

enum { ACCEPTOR_STOP = -1, ACCEPTOR_OTHER = -2 };

struct acceptor {
    struct crew *crew;
    int listener, stop_fd, other_fd;
    int flags; // of the connections, as for accept4()
    int64_t pause_until_ns;
    unsigned refused_first, refused_next; // of the ring:
    struct refused {
        int fd;
        int64_t close_ns;
    } refused[ACCEPTOR_REFUSED_MAX];
};

// Prepares to accept. `other_fd`: what else to wait for; -1: nothing.
void acceptor_open(struct acceptor *a, struct crew *crew, int listener, int stop_fd,
                   int other_fd);

// Sleeps until there is something to do. Returns a client's connection, which crew_join() has
// counted; ACCEPTOR_OTHER if other_fd can be read; ACCEPTOR_STOP if stop_fd can (and has been).
// Whoever is more than --connections allows is refused here.
int acceptor_wait(struct acceptor *a);

// Accepts nobody for ACCEPTOR_PAUSE_MS. Where there is no listener, acceptor_wait() returns
// ACCEPTOR_OTHER after that time: prefork tries again what has failed.
void acceptor_pause(struct acceptor *a);

// Answers 503 and closes, soon; the connection is crew_leave()d.
void acceptor_refuse(struct acceptor *a, int fd);

// Stops accepting: closes the listener, and whom it has refused.
void acceptor_close(struct acceptor *a);

// Waits until other_fd can be read. False: CREW_STOP_MS after acceptor_close(), or after one
// more signal.
bool acceptor_wait_for_end(struct acceptor *a);

#endif
