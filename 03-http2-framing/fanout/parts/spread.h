// spread.h: how a client spreads its requests: over one connection, over several to the same
// address, over its own list of backends, or as a look-aside service says.
#ifndef SPREAD_H
#define SPREAD_H

#include "session.h"

#define SPREAD_SESSIONS 16

struct spread {
    // The command line, or the scene, sets these.
    const char *host; // of a proxy, a relay, or of the only backend
    int port;
    int connections;       // to host:port; 0: 1
    const char *lookaside; // HOST:PORT of the service; NULL: none
    struct {
        const char *host;
        int port;
    } backends[SPREAD_SESSIONS]; // the client's own list
    int backend_count;
    // What it has.
    struct session *sessions[SPREAD_SESSIONS];
    char hosts[SPREAD_SESSIONS][256]; // that the look-aside service has named
    int count, next;
    int opened; // connections since the start
};

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
