// blocking.h: what a worker does that has a connection to itself (single, fork, thread,
// prefork): it reads, calls the handler, writes the answer, and waits for the next request. In
// each of these calls the kernel lets the worker sleep until there is something to do.
#ifndef BLOCKING_H
#define BLOCKING_H

#include "workers.h"

// Serves a client until the client closes, or asks for the last answer, or is silent too long,
// or the server stops. The caller closes `fd`.
void serve_blocking(int fd, struct worker *worker);

#endif
