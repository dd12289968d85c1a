// memory_cost.h: the memory that an idle client costs the server's machine: with six
// connections of HTTP/1.1, or with one of HTTP/2.
#ifndef MEMORY_COST_H
#define MEMORY_COST_H

#include <stdbool.h>

struct memory_cost {
    int connections;  // that each client keeps open
    double server_kb; // of the server's program, for each client
    double kernel_kb; // of the kernel's sockets, for each client: those of the server's end
    int answered;     // requests, of all clients
};

#define MEMORY_CLIENTS 60
#define MEMORY_FILES   500 // descriptors that their connections, and the rest, need

// Starts a server, and clients that each ask for six images and are silent then. Every client
// asks over one connection of HTTP/2, or over six of HTTP/1.1.
struct memory_cost memory_cost(bool http2);

#endif
