// connections.h: the TCP connections of lesson 01's server, in a table with a limit. A few slow
// clients cannot keep all its places: a connection that goes without an answer for a while has
// to leave when another client waits.
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include "connection.h"

#define CONNECTIONS_MAX 1000
#define GRACE_NS        INT64_C(5000000000) // how long it stays although another client waits
#define RETRY_NS        INT64_C(500000000)  // pause after accept() found no free descriptor

extern struct connection *connections[CONNECTIONS_MAX];
extern int connection_count;

// Adds a connection for a socket that accept() returned. If the table is full, the connection
// that has waited longest for an answer is closed. False: no memory (errno is set).
bool connections_add(int fd, const struct sockaddr_storage *client);

// Closes a connection. The last one takes its place in the table.
void connections_close(int index);

// There is no descriptor or no memory for the next client: it waits for RETRY_NS, or until a
// connection is closed.
void connections_pause(void);

// When the next client may be accepted; 0: now.
int64_t connections_room_at_ns(void);

// When the first connection wants connection_serve() even if nothing happens; INT64_MAX: none.
int64_t connections_due_ns(void);

#endif
