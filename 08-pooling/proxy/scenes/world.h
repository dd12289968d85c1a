// world.h: the origin and the proxy that a scene starts for itself, and requests to them.
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <sys/types.h>

#include "fetch.h"

#define CLIENT_ADDRESS "127.0.0.2" // each of the three has an address of its own
#define PROXY_ADDRESS  "127.0.0.1"
#define ORIGIN_ADDRESS "127.0.0.3"

#define OPTIONS_MAX 12

// What a scene's requests go to.
struct world {
    pid_t origin, proxy;
    int origin_port, proxy_port;
};

// The proxy of ./play's own options. A scene that is played dies if it does not answer.
void world_proxy(const char *host, int port);

// Starts an origin and a proxy with these options (NULL ends them); where the first one is
// "reverse", the proxy stands in front of this origin.
void world_begin(struct world *world, const char *const options[]);

// The same, one after the other: for options in which the origin's port is.
void world_begin_origin(struct world *world);
void world_begin_proxy(struct world *world, const char *const options[]);
void world_end(struct world *world);

// A connection from CLIENT_ADDRESS. Dies if there is none.
void world_open(struct fetch *f, const char *address, int port);

// Asks on a new connection, and returns the answer's status; *f is the answer, and is closed.
// Fields are lines that end with CRLF.
int world_ask(struct fetch *f, const char *address, int port, const char *method,
              const char *target, const char *fields);

// GET through the proxy: returns X-Cache, or "-" where there is none.
const char *world_get(struct world *world, const char *target, const char *fields);

// What the origin says in /count: the requests that have come to it.
long world_count(struct world *world);

// The answer's content as text.
const char *world_text(const struct fetch *f);

#endif
