// blocking.h: how a worker serves one connection, and no other meanwhile (single, fork, thread,
// prefork): the worker reads, calls the handler, sends the answer, and waits for the next
// request. In read() and in send() the worker sleeps until the kernel has bytes or room for it.
#ifndef BLOCKING_H
#define BLOCKING_H

#include "workers.h"

// Sleeps in accept() until a client comes (single, prefork), and returns its connection. -1: a
// signal has come, or the listener was shut down, or the client has gone already, or there was
// no free descriptor: then RETRY_MS have passed.
int accept_blocking(int listener);

// Serves a client until the client closes, or asks for the last answer, or is silent too long,
// or the server stops. The caller closes `fd`.
void serve_blocking(int fd, struct worker *worker);

#endif
