// frontend.h: a client's connection to the proxy: HTTP/2, and a stream for each exchange.
#ifndef FRONTEND_H
#define FRONTEND_H

#include "exchange.h"
#include "side.h"

struct frontend {
    struct conn conn; // the loop's part: the first
    enum side_kind kind;
    struct transport transport;
    int64_t opened_ns;
    char client[NET_NAME]; // its address, without the port
};

// What the loop calls.
void frontend_opened(struct frontend *frontend);
size_t frontend_received(struct frontend *frontend, const char *bytes, size_t length);
bool frontend_produce(struct frontend *frontend);
void frontend_timeout(struct frontend *frontend);
void frontend_stop(struct frontend *frontend);
void frontend_closed(struct frontend *frontend);

#endif
