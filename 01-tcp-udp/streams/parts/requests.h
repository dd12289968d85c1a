// requests.h: what a client of the server asks for: on each stream a path, and its end; what
// comes back on the stream is the resource of that path (resource.h).
#ifndef REQUESTS_H
#define REQUESTS_H

#include "connection.h"
#include "resource.h"

struct request {
    char path[PATH_MAX_BYTES + 1];
    size_t length;
    bool found;
    struct resource resource;
};

// A client, as the server sees it.
struct peer {
    struct connection connection; // first
    struct request requests[STREAMS_MAX];
    int64_t more_ns; // when one of its resources has more bytes
};

// What the server's connections call.
extern const struct connection_user requests_user;

// Looks how many bytes the resources of a client have now, if it is time to.
void requests_look(struct peer *peer, int64_t now_ns);

#endif
