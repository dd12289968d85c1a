// request.h: one request, sent in four ways. That is what this lesson is about; the client and
// the scenes both use it. Each function that fails ends the program with the reason.
#ifndef REQUEST_H
#define REQUEST_H

#include <stdint.h>

#include "exchange.h"

enum way { NAGLE, NODELAY, ONE_WRITEV, CORK, WAYS };

// The names of the ways for the option --way: nagle, nodelay, writev, cork. NULL ends them.
extern const char *const way_name[WAYS + 1];

// Sends a header, with `flags`, and a body of `body_bytes` bytes.
void send_request(int fd, enum way way, uint32_t body_bytes, uint32_t flags);

// Sends a request and waits for its answer. Returns how long that took, in milliseconds.
double time_request(int fd, enum way way, uint32_t body_bytes, uint32_t flags);

// Sets an option of TCP.
void set_option(int fd, int option, int value);

#endif
