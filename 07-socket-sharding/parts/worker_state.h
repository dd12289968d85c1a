// worker_state.h: what a worker has while it serves, and how it gets that: for worker.c, which
// shows how a worker waits for connections.
#ifndef WORKER_STATE_H
#define WORKER_STATE_H

#include "connection.h"
#include "worker.h"

#define CONNECTIONS_MAX 10000 // connections of one worker at once
#define DRAIN_MS        3000  // for the clients that a worker has when it is told to end

struct worker_state {
    const struct worker *worker;
    struct worker_stats *line;
    struct host host;
    int epoll;
    bool listening;             // the listening socket is in the epoll set
    bool ending;                // the worker has been told to end
    int64_t now_ns;             // the time of this round of the loop
    int64_t listen_again_ns;    // when the listening socket goes back into the epoll set
    int64_t end_ns;             // when a worker that is ending drops the clients that are left
    struct timers timers;       // one for each connection that waits for its client
    struct connection **unused; // connections without a client, to be used again
    size_t unused_count;
    size_t made; // connections there are, with and without a client
};

// Gets what the worker needs. False: there is no descriptor or no memory now.
bool worker_prepare(struct worker_state *p);

void worker_clean_up(struct worker_state *p);

// How the worker is to end: an enum ending; RUNNING: not yet.
int ending(const struct worker_state *p);

// The moment at which the worker drops the clients that are left. NEVER: it is not told to end.
int64_t end_ns(struct worker_state *p);

// Whether accept() sleeps is a property of the socket, not of the call: it holds for all
// workers that share the socket.
void set_blocking(int fd, bool blocking);

// A connection without a client. NULL: the worker has CONNECTIONS_MAX, or there is no memory.
struct connection *new_connection(struct worker_state *p);

#endif
