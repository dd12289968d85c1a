// request.h: one request, sent in four ways: what this lesson is about.
#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>
#include <stdint.h>

#define PATIENCE_MS 5000 // that we wait for what has to come

enum way { NAGLE, NODELAY, ONE_WRITEV, CORK, WAYS };

// Sends a header, with `flags`, and a body of `length` bytes. This and the others die if they
// cannot do it.
void send_request(int fd, enum way way, uint32_t length, uint32_t flags);

// Waits for the server's one byte.
void await_answer(int fd);

// The parts of that: an option of TCP, and bytes, all of them.
void set_option(int fd, int option, int value);
void put(int fd, const void *bytes, size_t length);

#endif
