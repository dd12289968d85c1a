// fetch.h: the client's end of an HTTP/1.1 connection: sends what it is told to, byte for byte,
// and reads responses as they come.
#ifndef FETCH_H
#define FETCH_H

#include "body.h"
#include "http.h"

#define FETCH_BYTES   (HTTP_LINE_BYTES + HTTP_HEAD_BYTES)
#define CONTENT_BYTES 4096 // of a response's content that is kept
#define PATIENCE_MS   10000

struct response {
    int status;
    bool keep_alive;
    char head[FETCH_BYTES]; // its bytes, '\0'-terminated
    size_t head_bytes;
    char content[CONTENT_BYTES + 1]; // the first bytes of it, '\0'-terminated
    size_t content_bytes;            // all of it
    size_t wire_bytes;               // head, content, and what frames the content
    int64_t head_ns, end_ns;         // when the head, and the last byte, were here
};

struct fetch {
    int fd;
    size_t length; // bytes that have come and are not used yet
    char bytes[FETCH_BYTES];
    bool to_head;    // the request was HEAD: the response has no content
    bool in_content; // the head of the response is read
    struct http_body body;
    // Called with each part of the content as it comes; may be NULL.
    void (*content)(struct fetch *, struct http_text);
};

// Says where the server is, once for all connections.
void fetch_from(const char *host, int port);

// Connects; dies if there is no server.
void fetch_open(struct fetch *f);
void fetch_close(struct fetch *f);

// Sends text, or bytes. Dies if the connection is broken.
void fetch_send(struct fetch *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void fetch_send_bytes(struct fetch *f, const void *bytes, size_t length);

// Reads once, waiting at most PATIENCE_MS. False: the server has closed the connection.
bool fetch_read(struct fetch *f);

// Goes on with the response as far as its bytes have come. True: it is whole. A 100 is skipped.
// Dies of what is no HTTP.
bool fetch_take(struct fetch *f, struct response *r);

// Both, until the response is whole. False: the server closed the connection instead.
bool fetch_response(struct fetch *f, struct response *r);

// Sends "GET target" with a Host field, and reads the response. Dies if there is none.
void fetch_get(struct fetch *f, const char *target, struct response *r);

// True if the server closes the connection, as it has announced, without another byte.
bool fetch_ends(struct fetch *f);

#endif
