// request.h: one request, sent in four ways. That is what this lesson is about; the client and
// the scenes both use it. Each function that fails ends the program with the reason.
#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>
#include <stdint.h>

#define TIMEOUT_MS 5000 // how long one write() and one answer may take

enum way { NAGLE, NODELAY, ONE_WRITEV, CORK, WAYS };

// The names of the ways for the option --way: nagle, nodelay, writev, cork.
extern const char *const way_name[WAYS];

// Connects to the server. Returns the socket.
int open_connection(const char *host, int port);

// Sends a header, with `flags`, and a body of `body_bytes` bytes.
void send_request(int fd, enum way way, uint32_t body_bytes, uint32_t flags);

// Waits for the server's one byte.
void await_answer(int fd);

// Sends a request and waits for its answer. Returns how long that took, in milliseconds.
double time_request(int fd, enum way way, uint32_t body_bytes, uint32_t flags);

// How many segments with data the kernel has sent on this connection.
uint32_t segments_sent(int fd);

// Sets an option of TCP.
void set_option(int fd, int option, int value);

// Sends all of these bytes in one write().
void put(int fd, const void *bytes, size_t length);

#endif
