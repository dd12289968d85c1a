// connection.h: all that lesson 02's server knows about one connection, between one call of the
// loop and the next.
#ifndef CONNECTION_H
#define CONNECTION_H

#include "kept_content.h"
#include "loop.h"
#include "pages.h"
#include "uploads.h"

struct connection {
    struct conn conn; // the loop's own part, the first member: see connection_of() in server.c
    // What the connection waits for: a request's head, its content, the end of a delay (of the
    // answer, or of its next piece), or room for more of the answer.
    enum { READ_HEAD, READ_CONTENT, WAIT, SEND } phase;
    bool head_began;          // some of a request's head is here
    int minor;                // the client's version is HTTP/1.minor
    bool keep_alive;          // another request may follow
    bool head_only;           // the request is HEAD: the answer has no content
    struct http_body body;    // how the request's content is read
    size_t content_bytes;     // of the request that have come
    int64_t content_due_ns;   // when more content has to be here
    struct kept_content kept; // content that is to be echoed
    struct upload upload;     // content that is to be stored
    struct answer answer;     // what is to be said
    bool chunked;             // the answer is sent in chunks
};

#endif
