// fetch.h: the client's end of an HTTP/1.1 connection: it sends requests, reads answers, and
// counts the bytes both ways. After fetch_head() what comes is the caller's: a stream of
// events, or frames.
#ifndef FETCH_H
#define FETCH_H

#include "body.h"
#include "http.h"

#define FETCH_BYTES  131072 // of what has come and is not used yet; of an answer's content
#define PATIENCE_MS  10000
#define REQUEST_HEAD "Host: workbench\r\n"

struct fetch {
    int fd;
    uint64_t up, down;     // bytes, of requests and of answers
    size_t read_max;       // bytes that one read may take; 0: as many as there is room for
    struct http_head head; // of the last answer; its texts only after fetch_head()
    bool in_content;       // the head of an answer is read, the rest is not
    struct http_body body;
    // Called with each part of the content as it comes; may be NULL.
    void (*piece)(struct fetch *f, struct http_text content);
    size_t content_length, length; // of content[], of bytes[]
    char content[FETCH_BYTES + 1]; // of the last answer, '\0'-terminated
    char bytes[FETCH_BYTES];
};

// Says where the server is, once for all connections.
void fetch_from(const char *host, int port);

// A connected socket that loses patience, and sends at once what it is given. Dies if there is
// no server.
int fetch_connect(void);

// Connects. Dies if there is no server.
void fetch_open(struct fetch *f);
void fetch_close(struct fetch *f);

// Sends text. Dies if the connection is broken.
void fetch_send(struct fetch *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void fetch_send_bytes(struct fetch *f, const void *bytes, size_t length);

// Reads once, waiting at most PATIENCE_MS. False: the connection is closed.
bool fetch_read(struct fetch *f);

// The first bytes that have come are used.
void fetch_use(struct fetch *f, size_t length);

// Reads until the head of an answer is whole; it stays in bytes[] until fetch_use(). Dies of
// what is no HTTP, or of the connection's end.
void fetch_head(struct fetch *f);

// Goes on with an answer as far as its bytes have come. True: it is whole.
bool fetch_take(struct fetch *f);

// Both, until the answer is whole. Dies if the server closes the connection instead.
void fetch_answer(struct fetch *f);

// Asks, with content if it is not NULL, and reads the answer. Returns its status.
int fetch_ask(struct fetch *f, const char *method, const char *target, const char *content);

// A number of GET /stats, asked for on a connection of its own: the first one called `name`
// that stands behind `after`.
uint64_t server_figure(const char *after, const char *name);

// Milliseconds between two moments of now_ns().
double ms_between(int64_t from_ns, int64_t to_ns);

// The one in the middle; sorts them.
double median_of(double *values, int count);

#endif
