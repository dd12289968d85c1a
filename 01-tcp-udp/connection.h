// connection.h: all that a server needs to keep for one TCP client, and UDP does not need at
// all.
#ifndef CONNECTION_H
#define CONNECTION_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "net.h"
#include "service.h"

#define LINES_A_TURN   16   // then it is the others' turn
#define LINE_MAX_BYTES 4096 // a longer line is answered "line too long", and the end
#define OUT_MAX_BYTES  (TIMES_MAX * (LINE_MAX_BYTES + 1))

struct connection {
    int fd; // non-blocking
    char name[NET_NAME];
    char in[LINE_MAX_BYTES + 1]; // the beginning of a line whose end has not come yet
    size_t in_length;
    char out[OUT_MAX_BYTES]; // answers that the socket did not take yet
    size_t out_length;
    long swallow_bytes, swallowed, reads; // of "swallow"
    int linger_ms;                        // of "linger"
    bool more_lines;                      // in `in`, for the next turn
    bool ended;                           // no more lines to come: close it when `out` is out
    bool line_begun;                      // a part of a line is there, and its time runs
    int64_t due_ns;                       // when the server stops waiting for the client
    int64_t served_at_ns;                 // when it was accepted, or last got an answer
    int64_t paused_until_ns;              // 0: not paused
    int resumes;                          // service_resumes() when the pause began
};

// Makes the state for a socket that accept() returned. NULL: no memory.
struct connection *connection_open(int fd, const struct sockaddr_storage *client);

// Closes the socket and frees the state.
void connection_close(struct connection *c);

// What poll() is to look for: nothing while the connection pauses, and only room for the answer
// while the client does not take it. The server does not read from a client that does not read.
short connection_events(const struct connection *c);

// When connection_serve() wants to be called even if nothing happens.
int64_t connection_due_ns(const struct connection *c);

// Does what poll() reported, and what is due at `now`. False: close it.
bool connection_serve(struct connection *c, short events, int64_t now);

#endif
