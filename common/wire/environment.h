// environment.h: what wire tells its programs in their environment: addresses, ports, the link.
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <stdbool.h>

#include "node.h"

// Sets $HOST and $PORT: the server is at `host`. `port` is the one that the server shall take;
// NULL unsets $PORT, and the server takes its default port.
void environment_peer(const char *host, const char *port);

// Sets $NAME_HOST for each node and box.
void environment_hosts(void);

// Sets what differs from program to program, before a program on `node` is started: $WIRE_NODE
// is the node's name. $HOST is the node's address for a server; for the client $HOST and $PORT
// are those of the server that was started last.
void environment_program(const struct node *node, bool is_server);

// A server has these ports: "PORT\n", and for each further port "NAME PORT\n". They become
// $PORT for the client, and $NODE_PORT and $NODE_PORT_NAME for all programs that start later.
void environment_ports(const struct node *node, const char *text);

// Sets what the link is like: $WIRE_RTT, $WIRE_LOSS, $WIRE_RATE, and the same in the packet
// log.
void environment_link(const struct link_shape *shape);

#endif
