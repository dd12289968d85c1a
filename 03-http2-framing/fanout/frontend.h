// frontend.h: a client's connection to the proxy: HTTP/2, and a stream for each exchange.
#ifndef FRONTEND_H
#define FRONTEND_H

#include "exchange.h"
#include "loop.h"

struct frontend {
    struct conn conn;                // the loop's part: the first
    const struct loop_server *calls; // frontend_calls
    struct transport transport;
    char client[NET_NAME]; // its address, without the port
};

void frontend_opened(struct frontend *frontend);

// What the loop calls for it then.
extern const struct loop_server frontend_calls;

#endif
