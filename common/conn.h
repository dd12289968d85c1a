// conn.h: what loop.c and conn.c have in common. Lessons include loop.h.
#ifndef CONN_H
#define CONN_H

#include "loop.h"

struct loop {
    const struct loop_server *server;
    int epoll, listener;
    bool accepting, stopping;
    bool at_once;            // round() has asked for the next round
    int64_t now_ns;          // the time of this round
    int64_t retry_accept_ns; // no accept() before this time
    int64_t stop_ns;         // when the loop ends, even if connections are open
    long accepted;
    struct timers timers; // one for each connection
    size_t out_length;    // of out[]: written in this call, not sent yet
    // For all connections: what read() brings, and what conn_space() hands out. What has to
    // wait is copied to the connection's own `in` and `out`.
    char in[LOOP_IN_BYTES], out[LOOP_OUT_BYTES];
};

// `ms` milliseconds from this round's time; NEVER of NEVER.
int64_t loop_from_now(const struct loop *loop, int64_t ms);

// Begins to serve a client that was accepted; closes it where there is no memory for that.
void conn_open(struct loop *loop, int fd);

// For a connection that conn_open() was given while its connect() was under way: the loop calls
// produce() once it is connected, and drops it if it is not within `ms` milliseconds.
void conn_await_connected(struct conn *c, int64_t ms);

// Serves a connection on which epoll has reported `events`.
void conn_serve(struct conn *c, uint32_t events);

// The timer of a connection has come: its deadline, a conn_wake(), or the end of the program.
void conn_expire(struct conn *c);

// Closes a connection at once and frees it.
void conn_drop(struct conn *c);

#endif
