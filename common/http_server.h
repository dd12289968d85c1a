// http_server.h: the server's end of an HTTP/1.1 connection, for lessons whose topic is not
// HTTP. It takes bytes and gives bytes; it knows no socket, no loop and no clock.
//
//     struct http_server http = {.content_max = 65536};        // one for each connection
//
//     used = http_server_take(&http, bytes, length, &request, &out);
//     if (request.status == HTTP_WHOLE)
//         http_server_answer(&http, &out, 200, "text/plain", "", content);
//     else if (request.status > 0)                             // not HTTP, too long, ...
//         http_server_refuse(&http, &out, request.status, "", NULL);
//     http_server_done(&http);                                 // ends the request's texts
//
// It does HTTP/1.0 and 1.1, keep-alive and pipelining, HEAD, content by its length or in chunks
// up to a limit (else 413), and 100 Continue. Time is the caller's: `began` is true while a
// part of a request is here. That whole part needs one deadline, and http_server_refuse(408)
// when it passes.
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http.h"

#define HTTP_WHOLE 0    // request.status: the request is here
#define HTTP_MORE  (-1) // more bytes have to come

struct http_server {
    size_t content_max; // of a request, in bytes; 0: a request with content is refused with 413
    // Called when a head is whole, before its content is read: 0, or the status that refuses
    // the request. NULL: all are good.
    int (*check)(void *context, const struct http_head *head);
    void *context;   // of check()
    bool stopping;   // set it when the program is to stop: no request after the present one
    bool began;      // a part of a request is here. Empty lines alone are none (RFC 9112 §2.2)
    bool keep_alive; // the connection stays open after the present request's answer
    bool head_only;  // the present request is HEAD: its answer has no content
    bool http10;     // the present request's client speaks HTTP/1.0
    const char *why; // after a refusal: half a sentence that gives its reason, or NULL
    // A request whose content did not come with its head: both are put together here.
    bool in_content;
    struct http_body body;
    char *kept;
    size_t kept_length, kept_size, head_length;
    size_t framing_bytes; // of chunks: sizes, extensions, trailers, line ends
};

struct http_request {
    int status;            // HTTP_WHOLE, HTTP_MORE, or the status to refuse it with
    struct http_head head; // valid if it is whole, as are the texts
    struct http_text path, query, content;
};

// Uses the next of these bytes, at most up to the end of one request. Returns how many it has
// used; 0: more have to come, and these have to be here again. After a refusal that leaves
// unknown where the next request begins, all bytes are used and keep_alive is false. The
// request's texts point into `bytes`, or are kept until http_server_done(). "100 Continue" goes
// to `out`.
size_t http_server_take(struct http_server *http, const char *bytes, size_t length,
                        struct http_request *request, struct http_out *out);

// Frees what the present request has needed. Call it once its texts are no longer needed (the
// answer may come later); also at the end of a connection, where it may be unfinished.
void http_server_done(struct http_server *http);

// Writes the first lines of an answer: status, Date, Server, Content-Length (not if it is below
// 0, or with 1xx, 204 and 304), and Connection where the client has to be told. Further fields
// may follow, then "\r\n". After a refusal (`status` from 400 on) with content to come, the
// connection is one to close: see keep_alive.
void http_server_head(const struct http_server *http, struct http_out *out, int status,
                      int64_t content_length);

// A whole answer. `type` may be NULL; `fields` are lines that end with CRLF, or "". A HEAD
// request gets no content. `out` says if there was no room.
void http_server_answer(const struct http_server *http, struct http_out *out, int status,
                        const char *type, const char *fields, struct http_text content);

// An answer that says what is wrong, as a line of text: "400 Bad Request: WHY". Where `why` is
// NULL it is http->why.
void http_server_refuse(const struct http_server *http, struct http_out *out, int status,
                        const char *fields, const char *why);

#endif
