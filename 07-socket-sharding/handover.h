// handover.h: a new server (the successor) takes the place of a running one, and no client
// notices.
//
// The old server has a Unix-domain socket. Its name is made of the server's address; it is an
// abstract name (unix(7)): there is no file, and only programs in this network namespace see
// it. A successor connects to that socket. If both are of one user, the old server sends it the
// descriptors of all its sockets (SCM_RIGHTS): these are the sockets themselves, with the
// connections that wait in their queues. The successor starts its workers; then it tells the
// old server how to end, and serves alone.
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdbool.h>

#include "stats.h"

// What is handed over.
struct handover_fds {
    bool sharded;
    int control;   // the Unix-domain socket, for the next successor
    int questions; // the UDP socket
    int listeners; // how many listening sockets there are in listener[]
    int listener[WORKERS_MAX];
};

// Opens the socket to which successors connect, for the server at this address. Returns -1,
// with errno set, if another server has that socket already.
int handover_listen(const char *host, int port);

// Call it when a successor has connected: sends it the fds. Returns a connection, on which the
// successor will say how this server is to end; -1: it is another user's, or has gone.
int handover_offer(const struct handover_fds *fds);

// Returns what the successor has said. RUNNING: it has gone and said nothing, so this server
// goes on.
enum ending handover_verdict(int connection);

// The successor calls this: gets the fds. Returns a connection to the old server; dies if there
// is no server at this address.
int handover_ask(const char *host, int port, struct handover_fds *fds);

// The successor tells the old server to end: HANDED_OVER if the sockets live on, DRAINING if
// the old server is to close its own.
void handover_finish(int connection, enum ending how);

#endif
