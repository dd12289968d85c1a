// kept_content.h: content of requests that is kept in memory until it is echoed. All
// connections share one limit. Where there is no room, the slowest connection loses its content
// to the newcomer, so that a few slow clients cannot take all the room for themselves.
#ifndef KEPT_CONTENT_H
#define KEPT_CONTENT_H

#include "http.h"
#include "loop.h"

#define KEPT_MAX_BYTES (64 << 20) // of all connections together
#define KEPT_GRACE_MS  1000       // content that is younger is not taken away

struct kept_content {
    char *bytes; // NULL: nothing is kept
    size_t length, size;
    uint64_t moved;  // bytes that came from the client, and that went back to it
    bool lost;       // another connection needed the room
    int64_t from_ns; // when the first bytes came
    struct conn *conn;
    struct kept_content *next, *previous;
};

// Keeps more content of a connection. False: there is no room for it.
bool kept_add(struct kept_content *kept, struct conn *conn, struct http_text content);

// Frees all that is kept, if anything is.
void kept_free(struct kept_content *kept);

#endif
