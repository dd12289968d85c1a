// handover.h: a new server takes the place of a running one, and no client notices.
//
// The old one has a Unix-domain socket whose name is made of its address; it is an abstract
// name (unix(7)): no file, seen in this network namespace only. Who connects to it, and is the
// same user, is sent the descriptors of all its sockets (SCM_RIGHTS): not copies of what they
// say, but the sockets themselves, with the connections that wait in their queues. The new one
// starts its workers; then it says how the old one is to end, and from then on has all to
// itself.
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdbool.h>

#include "stats.h"

// What is handed over.
struct handover_fds {
    bool sharded;
    int control;   // the Unix-domain socket itself, for the server that comes next
    int questions; // the UDP socket
    int listeners;
    int listener[WORKERS_MAX];
};

// The socket on which successors report, for the server at this address. -1, errno set: there
// is one already.
int handover_listen(const char *host, int port);

// A successor reports: sends it the fds. Returns a connection to it, on which it will say
// how to end; -1 if it may not, or has gone.
int handover_offer(const struct handover_fds *fds);

// What it has said. RUNNING: it has gone without a word, so go on as if nothing had been.
enum ending handover_verdict(int connection);

// The successor's part: gets the fds. Returns a connection to the old server; dies if there
// is none at this address.
int handover_ask(const char *host, int port, struct handover_fds *fds);

// Tells the old server to end: HANDED_OVER if the sockets live on, DRAINING if it is to close
// its own.
void handover_finish(int connection, enum ending how);

#endif
