// connections.h: the connections of lesson 09's server, in a table with a limit. A few slow
// clients cannot keep all its places: a connection that goes without an answer for a while has
// to leave when another client waits.
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

#define CONNECTIONS_MAX 1000
#define IDLE_NS         INT64_C(60000000000) // how long a connection may rest between requests
#define GRACE_NS        INT64_C(5000000000)  // how long it stays although another client waits

struct connection {
    int fd;
    uint8_t header[HEADER_BYTES]; // of the request that is coming
    unsigned header_bytes;        // how many of them have come
    uint32_t body_bytes;          // bytes of the body that are still to come
    bool quickack;                // the client wants each ACK at once
    int64_t due_ns;               // when the server stops waiting for the client
    int64_t served_at_ns;         // when it was accepted, or last got an answer
};

extern struct connection connections[CONNECTIONS_MAX];
extern int connection_count;

// True if the next client may be accepted.
bool connections_have_room(int64_t now_ns);

// Adds a connection for a socket that accept() returned. If the table is full, the connection
// that has waited longest for an answer is closed.
void connection_add(int fd);

// Closes a connection. The last one takes its place in the table.
void connection_close(int index);

#endif
