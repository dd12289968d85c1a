// connection.h: one connection: a request is read, answered, and the connection closed. No
// keep-alive: this lesson is about getting connections, so every request brings a new one.
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "stats.h"
#include "timers.h"

#define REQUEST_BYTES 4096  // of a request's head
#define LINGER_MS     1000  // how long we read on after a refusal
#define BUSY_MS       60000 // that /busy?ms= may ask for

struct connection {
    struct timer timer;
    int64_t due_ns; // when our patience ends
    int fd;
    bool watched;   // the worker waits for it
    bool lingering; // answered; what still comes is read and thrown away
    size_t length;
    char head[REQUEST_BYTES]; // what has come of it
};

// The worker that serves a connection.
struct host {
    int worker, pid, tid;
    int stop_fd; // readable when the worker is asked to stop: it ends /busy
    struct stats *stats;
};

// The request has to be there until due_ns.
void connection_begin(struct connection *s, int fd, int64_t due_ns);

// Goes on as far as the socket allows without waiting. True: it waits for more bytes, until
// due_ns. False: it is over, close the descriptor.
bool connection_step(struct connection *s, const struct host *host);

// Its time is over: says so, if half a request has come. Close it then.
void connection_expire(struct connection *s);

#endif
