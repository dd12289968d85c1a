// request.h: one request, sent in four ways: what this lesson is about. The client and the
// scenes both use it. Each function dies, with the reason, if it cannot do what it promises.
#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>
#include <stdint.h>

#define TIMEOUT_MS 5000 // how long one write() and one answer may take

enum way { NAGLE, NODELAY, ONE_WRITEV, CORK, WAYS };

// What --way calls them: nagle, nodelay, writev, cork.
extern const char *const way_name[WAYS];

// Connects to the server. Returns the socket.
int open_connection(const char *host, int port);

// Sends a header, with `flags`, and a body of `body_bytes` bytes.
void send_request(int fd, enum way way, uint32_t body_bytes, uint32_t flags);

// Waits for the server's one byte.
void await_answer(int fd);

// Both of them. Returns how long they took, in milliseconds.
double time_request(int fd, enum way way, uint32_t body_bytes, uint32_t flags);

// How many segments with data the kernel has sent on this connection.
uint32_t segments_sent(int fd);

// The parts of send_request(): sets an option of TCP; sends all of some bytes.
void set_option(int fd, int option, int value);
void put(int fd, const void *bytes, size_t length);

#endif
