// upstream.h: a connection to a backend. Over HTTP/2 there is one for each backend, on which
// all exchanges have streams (upstream_h2.c). Over HTTP/1.1 a connection carries one exchange
// at a time, so there is a pool of them (upstream_h1.c).
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include "dial.h"
#include "exchange.h"

#define UPSTREAMS_MAX    2000 // connections to all backends together
#define UPSTREAM_KEEP_MS 4000 // HTTP/1.1: that a connection is kept for the next request

struct upstream {
    struct conn conn;                // the loop's part: the first
    const struct loop_server *calls; // upstream_calls
    bool connected;                  // the backend is there
    struct backend *backend;
    // HTTP/2
    struct transport transport;
    // HTTP/1.1
    struct exchange *exchange;
    struct upstream *next_idle;
    struct http_body body;                  // of the answer
    bool in_content, keep, is_idle, chunks; // chunks: the request is sent in chunks
    bool bad;                               // what it has sent is no answer
};

// An exchange waits in the backend's queue: wakes a connection for it, or asks for one.
void upstream_serve(struct backend *backend, int64_t now_ns);

// A connection that upstream_serve() has asked for was opened; it could not be opened.
void upstream_opened(struct upstream *up, struct backend *backend);
void upstream_failed(void *backend);

// What the loop calls for it then.
extern const struct loop_server upstream_calls;

// ---- for upstream_h1.c and upstream_h2.c ---------------------------------------------------

// The proxy stops, and no request needs this connection any more.
bool upstream_is_over(const struct upstream *up);

// Takes the first exchange off the backend's queue for this connection.
struct exchange *upstream_take(struct upstream *up);

void h1_serve(struct backend *backend);
size_t h1_received(struct upstream *up, const char *bytes, size_t length);
bool h1_produce(struct upstream *up);
void h1_woken(struct upstream *up);
void h1_closed(struct upstream *up);

void h2_begin(struct upstream *up);
size_t h2_received(struct upstream *up, const char *bytes, size_t length);
bool h2_produce(struct upstream *up);
void h2_closed(struct upstream *up);

#endif
