// connection.h: what a server has to keep for one TCP client. For a UDP client it keeps
// nothing.
#ifndef CONNECTION_H
#define CONNECTION_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "net.h"
#include "service.h"

#define LINES_A_TURN   16   // lines that are answered before other clients have their turn
#define LINE_MAX_BYTES 4096 // for a longer line: "line too long", and the server closes
#define OUT_MAX_BYTES  (TIMES_MAX * (LINE_MAX_BYTES + 1))

struct connection {
    int fd;                      // non-blocking
    char name[NET_NAME];         // the client's address
    char in[LINE_MAX_BYTES + 1]; // bytes of lines that are not answered yet
    size_t in_length;            // how many bytes are in `in`
    char out[OUT_MAX_BYTES];     // answers that the socket has not taken yet
    size_t out_length;           // how many bytes are in `out`
    long swallow_bytes;          // how many bytes "swallow" still waits for
    long swallowed;              // how many bytes it has got
    long reads;                  // how many read()s have brought them
    int linger_ms;               // from "linger"; 0: no client has said it
    bool more_lines;             // `in` has whole lines for the next turn
    bool ended;                  // no more lines come: close when `out` is sent
    bool line_begun;             // a part of a line is here, and its deadline counts
    int64_t due_ns;              // when the server stops waiting for the client
    int64_t served_at_ns;        // when it was accepted, or last got an answer
    int64_t paused_until_ns;     // 0: not paused
    int resumes;                 // service_resumes() when the pause began
};

// Makes the state for a socket that accept() returned. NULL: no memory.
struct connection *connection_open(int fd, const struct sockaddr_storage *client);

// Closes the socket and frees the state.
void connection_close(struct connection *c);

// The events that poll() shall report: none during a pause, and only POLLOUT while an answer
// waits. So the server does not read from a client that does not read its answers.
short connection_events(const struct connection *c);

// When connection_serve() has to be called even if poll() reports nothing.
int64_t connection_due_ns(const struct connection *c);

// Serves the events that poll() has reported, and what is due at `now`. False: close the
// connection.
bool connection_serve(struct connection *c, short events, int64_t now);

#endif
