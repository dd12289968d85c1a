// nonblocking.h: one connection of an event loop (loop, readers): the counterpart of
// blocking.h. None of these functions waits. Each does what can be done now, and then says in
// the struct what the connection waits for: this is how one thread serves thousands of clients.
#ifndef NONBLOCKING_H
#define NONBLOCKING_H

#include <stddef.h>
#include <sys/epoll.h>

#include "disk_thread.h"
#include "kept.h"
#include "request.h"
#include "timers.h"
#include "workers.h"

#define OUT_BYTES 65536 // answers are collected up to this length, and then sent

// A loop has one buffer for what it reads and one for answers, whichever connection it serves.
// A connection has memory of its own only for bytes that have to wait.
struct buffers {
    struct disk_thread *disk; // waits for the disk in place of the loop; NULL: there is none
    size_t out_length;        // of out[]: answers that are not sent yet
    char in[REQUEST_BYTES], out[OUT_BYTES];
};

struct connection {
    // The first member, so the loop can cast a pointer to it into a pointer to the connection.
    struct timer timer;
    int fd;
    uint32_t events; // what the connection waits for: EPOLLIN, EPOLLOUT, or 0: only its timer
    int limit_ms;    // how long it waits, from now; 0: the timer stays as it is

    bool refused; // the connection is one more than --connections allows

    // The loop does not use the rest.
    struct worker *worker;
    struct buffers *buffers;
    struct kept in, out;     // bytes that are not used yet, and not sent yet
    struct http_server http; // what is known of the request that comes, or is answered
    struct request request;
    int wait_ms;          // how long the answer to the request has to wait (/io); 0: not at all
    const char *text;     // the content of the answer that waits
    int write_kb;         // the answer waits for the disk thread (/write); 0: not at all
    struct disk_job *job; // /write: the answer waits for this record; NULL: for none
    bool closing;         // the last answer is written
    bool lingering;       // the last answer is sent; the client may still be sending
};

// Begins to serve a client that was accepted. If the client is one too many, sets `refused`.
// NULL: there is no memory, and `fd` is closed.
struct connection *connection_open(int fd, struct worker *worker, struct buffers *buffers);

// The next four functions return false if the connection is over: then call
// connection_close().

// Answers 503, because there is no room for this client.
bool connection_refuse(struct connection *c);

// Something has happened on the connection.
bool connection_serve(struct connection *c);

// The time is up: the answer to /io is due, or the client was too slow.
bool connection_timeout(struct connection *c);

// The disk thread has done the connection's job.
bool connection_written(struct connection *c);

// True if an answer is owed to the client, or on its way.
bool connection_is_busy(const struct connection *c);

void connection_close(struct connection *c);

#endif
