// kept_content.h: content of requests that is kept in memory until it is echoed. All
// connections share one limit. Where there is no room, the slowest connection loses its content
// to the newcomer, so that a few slow clients cannot take all the room for themselves.
#ifndef KEPT_CONTENT_H
#define KEPT_CONTENT_H

#include "http.h"
#include "loop.h"

#define KEPT_MAX_BYTES (64 << 20) // of all connections together
#define KEPT_GRACE_MS  1000       // younger content is not taken away

struct kept_content {
    char *bytes;     // NULL: nothing is kept
    size_t length;   // bytes of content
    size_t size;     // bytes of memory
    uint64_t moved;  // bytes that came from the client, plus bytes that went back to it
    bool lost;       // the content was taken away: another connection needed the room
    int64_t from_ns; // when the first bytes came
    struct conn *conn;
    struct kept_content *next, *previous; // in the list of all kept content
};

// Keeps more content of a connection. False: there is no room for it.
bool kept_add(struct kept_content *kept, struct conn *conn, struct http_text content);

// Frees the content that is kept, if there is any.
void kept_free(struct kept_content *kept);

#endif
