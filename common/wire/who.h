// who.h: who is where: what the programs find in their environment.
#ifndef WHO_H
#define WHO_H

#include <stdbool.h>

#include "node.h"

// For a server and a client: the server is at `host`; its `port`, as it is asked to take it, or
// NULL: its own.
void who_is_at(const char *host, const char *port);

// For nodes: $NAME_HOST for each node and box.
void who_is_where(void);

// For the program that is started next: $WIRE_NODE; a server finds its node's address in $HOST,
// a client that of the server that was started last.
void who_am_i(const struct node *node, bool is_server);

// A server has these ports: "PORT\n", and for each further one "NAME PORT\n". They become $PORT
// for the client, and $NODE_PORT and $NODE_PORT_NAME for all programs that start later.
void who_has_ports(const struct node *node, const char *text);

// What the link is like: $WIRE_RTT, $WIRE_LOSS, $WIRE_RATE, and the same in the packet log.
void who_is_how_far(const struct link_shape *shape);

#endif
