// spread.h: how a client spreads its requests: over one connection, over several to the same
// address, over its own list of backends, or as a look-aside service says.
#ifndef SPREAD_H
#define SPREAD_H

#include "session.h"

#define SPREAD_SESSIONS 16

struct spread {
    const char *lookaside; // HOST:PORT of the service that names the places; NULL: none
    struct {
        char host[256];
        int port;
        struct session *session; // NULL: it was not needed yet
    } places[SPREAD_SESSIONS];
    int count, next;
    int opened; // connections since the start
};

// Adds a connection to the list of those that are used in turn: to a proxy, to a relay (several
// times, for several connections), or to a backend. Returns its index; -1: there are too many.
int spread_add(struct spread *spread, const char *host, int port);

// Finds the connection for the next request, and opens it if need be. NULL: no server is there.
struct session *spread_next(struct spread *spread);

void spread_close(struct spread *spread);

// A number of requests, `at_once` of them under way at the same time, and what has come of
// them.
struct load {
    struct ask like; // all of them are like this one
    int requests, at_once;
    void (*sent)(int requests);  // called when so many have been sent; may be NULL
    void (*ended)(struct ask *); // called for each of them; may be NULL
    int errors;
};

void spread_run(struct spread *spread, struct load *load);

#endif
