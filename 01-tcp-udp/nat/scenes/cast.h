// cast.h: what the scenes have in common: the server, and agents on the nodes.
#ifndef CAST_H
#define CAST_H

#include "ice.h"

#define PATIENCE_MS 20000 // that a scene waits for what has to happen, on a busy machine, too

// Which server the scenes ask.
void cast_begin(const char *host, int port);

// Its address. Dies, the first time, if it does not answer.
const struct sockaddr_storage *cast_server(void);
const char *cast_host(void);
const char *cast_port(void);

// Asks the server from this socket. Returns how the server sees it. Dies if it does not answer.
struct sockaddr_storage cast_mapped(int fd);

// Two agents that are to find each other.
struct couple {
    struct ice_agent agents[2];
};

// Begins both agents, each with a socket on its node; the first one controls. agents[0].set is
// for both. `server` may be NULL.
void couple_begin(struct couple *couple, const char *left, const char *right,
                  const struct sockaddr_storage *server);

// Lets all couples collect candidates, exchange their descriptions (as texts), and check; until
// each has a path or has given up.
void couples_meet(struct couple *const couples[], int count);

// Both agents have a path.
bool couple_met(const struct couple *couple);

void couple_end(struct couple *couple);

// Runs all couples for so long.
void couples_run(struct couple *const couples[], int count, int ms);

// Runs only one of the two agents for so long: the other one sleeps.
void couple_run_one(struct couple *couple, int which, int ms);

// Runs both until both have a path. False: they do not find one in 2 * PATIENCE_MS.
bool couple_wait_met(struct couple *couple);

// The time of a datagram to the other agent and back, the shortest of `count`, in ms.
double couple_round_trip(struct couple *couple, int count);

// Sends `count` datagrams of `length` bytes from the first agent to the second; returns how
// many arrived.
int couple_send(struct couple *couple, int count, size_t length);

#endif
