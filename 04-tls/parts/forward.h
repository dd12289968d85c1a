// forward.h: what a proxy in front of an HTTP server changes in the requests that pass through
// it: the head is written anew, the content passes as it is. For terminate.c.
#ifndef FORWARD_H
#define FORWARD_H

#include "body.h"
#include "http.h"

#define FORWARD_HEAD_BYTES (HTTP_LINE_BYTES + HTTP_HEAD_BYTES + 256) // that a new head may need

struct forward {
    const char *client; // its address, for X-Forwarded-For
    bool in_content;    // a request's head has passed, its content not yet
    bool last;          // the request that passed last ends the connection
    int refused;        // the status to answer with, after all answers that are still to come
    long requests;      // whose heads have passed
    struct http_body body;
    char line[80]; // method and target of the request that passed last, for people
};

// Takes requests, or parts of them, from `bytes` and appends to `out` what the server is to
// see. Returns how many bytes it has used: 0 if more have to come, if there is not enough room
// in `out`, or if nothing more may pass (last, refused).
size_t forward_requests(struct forward *forward, const char *bytes, size_t length,
                        struct http_out *out);

// Appends a short answer of the proxy's own, which ends the connection.
void forward_refusal(int status, struct http_out *out);

#endif
