// resolve.h: names become addresses. getaddrinfo() waits, so each look-up has a thread of its
// own; what it finds comes back over a socket that the loop reads like any other one.
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdbool.h>
#include <sys/socket.h>

#include "loop.h"

// `address` is NULL if there is no such name.
typedef void (*resolve_found)(void *context, const struct sockaddr_storage *address);

// Finds the address of "host:port", and calls found() once: for a numeric address at once, for
// a name in a later round. False: too many look-ups are under way.
bool resolve(const char *server, resolve_found found, void *context);

// Waits for a look-up, and does not ask --resolve: for a thread, and for the start of the
// program. `flags` as in getaddrinfo(3). Returns 0, or an error for gai_strerror().
int resolve_now(const char *server, int flags, struct sockaddr_storage *address);

// --resolve NAME=ADDRESS,...: a name that needs no look-up. With more addresses than one, each
// look-up gets the next one, as many name servers do it.
void resolve_fixed(const char *text);

// The loop's end of the socket; -1: there was no look-up yet. Open it as a connection between
// two rounds of the loop, and give what comes to resolve_received().
int resolve_socket(void);
size_t resolve_received(const char *bytes, size_t length);

#endif
