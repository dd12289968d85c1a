// http1.h: the same pages over HTTP/1.1, one request after the other on a connection, so that
// the lesson can compare the two protocols on one server. Requests are read by common's
// http_server; lesson 02 shows how.
#ifndef HTTP1_H
#define HTTP1_H

#include "http_server.h"
#include "loop.h"
#include "pages.h"

#define HTTP1_CONTENT_MAX 65536 // bytes of the content of a request
#define HTTP1_REQUEST_MS  10000 // from the first byte of a request to its last

struct http1 {
    struct conn *conn;
    struct http_server http;
    bool began;     // a part of a request is here: HTTP1_REQUEST_MS counts
    bool answering; // the next request waits
    bool head_sent; // of the answer
    struct answer answer;
    char request[48];  // method and target, for the log: perhaps cut short
    size_t body_bytes; // memory of its body
    int idle_ms;       // a connection that waits so long for a request is closed
    long *requests;    // counts those that were answered
};

void http1_begin(struct http1 *http1, struct conn *conn, int idle_ms, long *requests);

// What the loop calls (see loop.h).
size_t http1_received(struct http1 *http1, const char *bytes, size_t length);
bool http1_produce(struct http1 *http1);
void http1_timeout(struct http1 *http1);
void http1_stop(struct http1 *http1);
void http1_closed(struct http1 *http1);

#endif
