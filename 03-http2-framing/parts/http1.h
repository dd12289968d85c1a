// http1.h: the same pages over HTTP/1.1, so that the lesson can compare the two protocols on
// one server. GET, HEAD and OPTIONS, one after the other on a connection that stays open;
// lesson 02 is where HTTP/1.1 is done in full.
#ifndef HTTP1_H
#define HTTP1_H

#include "loop.h"
#include "pages.h"

struct http1 {
    struct conn *conn;
    bool answering;  // the next request waits
    bool head_sent;  // of the answer
    bool keep_alive; // after it
    bool to_head;    // the method is HEAD: no content
    int minor;       // of the client's HTTP/1.minor
    struct answer answer;
    int idle_ms;    // a connection that waits so long for a request is closed
    long *requests; // counts those that were answered
};

void http1_begin(struct http1 *http1, struct conn *conn, int idle_ms, long *requests);

// What the loop calls (see loop.h).
size_t http1_received(struct http1 *http1, const char *bytes, size_t length);
bool http1_produce(struct http1 *http1);
void http1_timeout(struct http1 *http1);
void http1_stop(struct http1 *http1);

#endif
