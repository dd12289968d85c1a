// guard.h: which addresses a forward proxy must not connect to for its clients. Else a client
// outside could use it to reach what is inside: the machine's own services, its neighbours, the
// cloud's metadata at 169.254.169.254 (server-side request forgery, SSRF).
//
// The guard looks at the address that the proxy is about to connect to, not at the name: a name
// can have any address, and another one at each look-up.
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <sys/socket.h>

// True if the address is public, and none of this machine's own.
bool guard_allows(const struct sockaddr_storage *address);

#endif
