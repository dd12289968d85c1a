// connection.h: what lesson 02's server knows about one connection. It keeps this between one
// call of the loop and the next.
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
    enum { READ_HEAD, READ_CONTENT, WAIT, SEND } phase; // READ_HEAD is 0: the first
    bool head_began;                                    // a part of a request's head is here
    int minor;                                          // the client's version is HTTP/1.minor
    bool keep_alive;                                    // another request may follow
    bool head_only;           // the request is HEAD: the answer has no content
    struct http_body body;    // how the request's content is read
    size_t content_bytes;     // bytes of the request's content that have come
    int idle_ms;              // the option: so long the client may send no content
    int64_t content_due_ns;   // when more content has to be here
    struct kept_content kept; // the content of a request that is echoed
    struct upload upload;     // the file that the request's content goes to
    struct answer answer;     // what the server will say
    bool chunked;             // the answer is sent in chunks
};

#endif
