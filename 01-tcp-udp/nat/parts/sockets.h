// sockets.h: the server's sockets: one for TCP, and up to four for UDP, on two addresses and
// two ports (RFC 5780).
#ifndef SOCKETS_H
#define SOCKETS_H

#include "binding.h"

// A UDP socket's number says its address: see OTHER_PORT and OTHER_HOST in binding.h.
struct server_sockets {
    int listener, udp[SOCKETS];
    struct binding_sockets names;
};

// Opens them; dies with the reason where that is not possible. `other_host` "" is the address
// after `host`; if this machine does not have it, there is one UDP socket.
void sockets_open(struct server_sockets *all, const char *host, int port,
                  const char *other_host, int other_port);

#endif
