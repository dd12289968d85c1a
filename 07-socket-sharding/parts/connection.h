// connection.h: one connection: the server reads a request, answers it and closes the
// connection. There is no keep-alive: the lesson is about new connections, so each request
// needs one.
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "stats.h"
#include "timers.h"

#define REQUEST_BYTES 4096  // a request's head is not longer
#define LINGER_MS     1000  // how long the server reads on after its answer
#define BUSY_MS       60000 // the most that /busy?ms= may ask for

struct connection {
    struct timer timer;
    int64_t due_ns; // when the server closes the connection, whatever has come by then
    int fd;
    bool watched;             // the worker waits until bytes come
    bool lingering;           // the answer is sent; the server throws away what still comes
    size_t length;            // bytes in `head`
    char head[REQUEST_BYTES]; // what has come of the request's head
};

// The worker that serves a connection.
struct host {
    int worker, pid, tid;
    int stop_fd; // readable when the worker is asked to stop: it ends /busy
    struct stats *stats;
};

// Begins a connection. Its request has to be there by due_ns.
void connection_begin(struct connection *s, int fd, int64_t due_ns);

// Goes on as far as the socket allows without waiting. True: the connection waits for more
// bytes, until due_ns. False: it is over, and the caller closes the descriptor.
bool connection_step(struct connection *s, const struct host *host);

// The time of the connection is over: answers 408, if a part of a request has come. The caller
// then closes the descriptor.
void connection_expire(struct connection *s, const struct host *host);

#endif
