// endpoint.h: a client's end of a connection, with its socket.
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include "connection.h"

struct endpoint {
    struct connection connection; // first
    int fd;
    bool refused; // no program has this port
    // NULL, or: a datagram was sent, or has come
    void (*saw)(struct endpoint *endpoint, bool sent, const uint8_t *bytes, size_t length);
};

// Begins a connection to a server: nothing is sent yet. `window`: bytes that may wait here, for
// each stream, from STREAM_WINDOW on. Dies where that is not possible.
void endpoint_open(struct endpoint *endpoint, const char *host, int port, const char *key,
                   uint32_t window, const struct connection_user *user);

// Sends what may be sent, waits until something comes, something is due, or until_ns has come,
// and takes what is here. False: the connection is over.
bool endpoint_step(struct endpoint *endpoint, int64_t until_ns);

// Goes on from another socket: with another port, and from another address unless `local` is
// NULL. This is what a new network does to a client. Dies if this host has no such address.
void endpoint_move(struct endpoint *endpoint, const char *local);

// Says goodbye, and frees all.
void endpoint_close(struct endpoint *endpoint);

// Dies, and says why the connection is over.
_Noreturn void endpoint_die(const struct endpoint *endpoint, const char *host, int port);

#endif
