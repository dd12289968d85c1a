// upstream.h: the connections that the sidecar opens: to other sidecars with TLS, to its own
// app without. Each carries one request at a time, and then waits for the next one.
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include "sidecar.h"

struct upstream {
    struct link link;
    struct endpoint *endpoint;
    struct downstream *down; // whose request it carries; NULL: none
    struct upstream *next;   // in the endpoint's list of those without a request
    unsigned generation;     // of the certificates that it began with
    bool ready;              // it can carry requests
    bool reused;             // this request is not its first
    bool given_up;           // its request has no use for it any more: it is to be closed
    // The answer.
    bool in_answer;     // while `down` is NULL it is of no interest: there will be another try
    bool last;          // the connection ends after it
    enum chunks chunks; // on: it comes without a length; off: it is for HTTP/1.0
    struct http_body body;
};

extern const struct link_kind upstream_kind;

// ---- parts/upstream_pool.c -----------------------------------------------------------------

// A connection for the request of `d`: one that waits (it is d->up now), or a new one, which
// will be. False, and errno: there can be none.
bool upstream_take(struct endpoint *endpoint, struct downstream *d);

// Takes the request from its connection, which is closed, because what would come on it is the
// old answer.
void upstream_give_up(struct downstream *d);

// Closes the connections of an endpoint that wait for a request.
void upstream_close_idle(struct endpoint *endpoint);

// The connection waits for a request; it does not any more.
void upstream_join_idle(struct upstream *u);
void upstream_leave_idle(struct upstream *u);

// True unless it began with older certificates: then it gets no other request.
bool upstream_is_fresh(const struct upstream *u);

#endif
