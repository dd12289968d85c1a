// uring_client.h: one connection of model_uring.c: the counterpart of nonblocking.h. Nothing
// here calls the kernel to read or to send. Each function takes what has happened, and returns
// what the connection needs next.
#ifndef URING_CLIENT_H
#define URING_CLIENT_H

#include "kept.h"
#include "request.h"
#include "timers.h"
#include "workers.h"

#define OUT_BYTES   16384 // answers are collected up to this length, and then sent
#define PIECE_BYTES 4096  // bytes that come at once, at most

// Answers that are being sent: the kernel reads them meanwhile.
struct out {
    struct out *next; // in the list of those that are free
    size_t length, sent;
    char bytes[OUT_BYTES];
};

// What all clients share.
struct client_buffers {
    struct out *free;
    char in[REQUEST_BYTES + PIECE_BYTES];
};

enum need {
    NEED_BYTES, // from the client, within limit_ms
    NEED_SENT,  // out->bytes have to be sent, from out->sent on, within limit_ms
    NEED_TIME,  // limit_ms have to pass
    NEED_DISK,  // write_kb have to be written to the disk, within limit_ms
    NEED_CLOSE  // the connection is over
};

struct client {
    // The first member, so a pointer to it can be cast into a pointer to the client.
    struct timer timer;
    int fd;
    int limit_ms; // of what the connection needs, from now; 0: the timer stays as it is
    bool refused; // the client is one more than --connections allows
    struct out *out;
    int write_kb; // what the answer to /write waits for; 0: for nothing

    // For the loop's own use.
    int under_way; // operations that use the client's memory: the kernel has them
    bool receiving, gone;

    // The loop does not use the rest.
    struct worker *worker;
    struct client_buffers *buffers;
    struct http_server http; // what is known of the request that comes, or is answered
    struct request request;
    struct kept in;   // bytes that are not used yet
    int wait_ms;      // how long the answer to the request has to wait (/io); 0: not at all
    const char *text; // the content of the answer that waits
    bool closing;     // the last answer is written
    bool lingering;   // the last answer is sent; the client may still be sending
};

// Begins to serve a client that was accepted; it needs NEED_BYTES, or client_refuse() if it is
// `refused`. NULL: there is no memory, and `fd` is closed.
struct client *client_open(int fd, struct worker *worker, struct client_buffers *buffers);

// Answers 503, because there is no room for this client.
enum need client_refuse(struct client *c);

// These bytes have come, at most PIECE_BYTES.
enum need client_received(struct client *c, const char *bytes, size_t length);

// So many bytes of `out` were sent.
enum need client_sent(struct client *c, size_t count);

// The disk has the record, or does not take it.
enum need client_written(struct client *c, bool written);

// The time is up: the answer to /io is due, or the client was too slow.
enum need client_timeout(struct client *c);

// True if an answer is owed to the client, or on its way.
bool client_is_busy(const struct client *c);

// Closes the connection; the memory stays, because the kernel may still use it.
void client_close(struct client *c);
void client_free(struct client *c);

// Frees what the clients have shared.
void client_buffers_free(struct client_buffers *buffers);

#endif
