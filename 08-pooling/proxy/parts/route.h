// route.h: where a request goes, under which key its answer is stored, and what the server is
// sent.
#ifndef ROUTE_H
#define ROUTE_H

#include "cache.h"

struct route {
    int refused; // 0, or the status that the proxy answers with itself
    const char *why;
    bool is_read;                 // GET or HEAD
    bool is_connect;              // a tunnel, from the start
    bool guarded;                 // the client has chosen the server
    bool is_upgrade;              // the request asks for another protocol
    bool is_conditional;          // or for a part: its answer may be none that others can use
    bool may_use_cache;           // GET or HEAD, and nothing in it but what is in the key
    char server[HTTP_HOST_BYTES]; // "example.org:80"
    struct http_text key;
    size_t origin_length; // of the key's beginning, up to the path
};

// The key is valid until the next call.
void route_request(const struct http_head *head, bool is_local, struct route *route);

// The head that the server gets; where there is something stale, it asks whether that is still
// good. Returns its length, 0 if there was no room.
size_t route_write_head(const struct http_head *head, const struct route *route,
                        const char *client_address, const struct entry *stale, char *bytes,
                        size_t size);

#endif
