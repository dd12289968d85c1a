// sockets.h: the sockets of the server, of its client, and of a peer.
#ifndef SOCKETS_H
#define SOCKETS_H

#include "binding.h"

// Opens the server's sockets, on two addresses and two ports (RFC 5780); dies with the reason
// where that is not possible. `other_host` "" is the address after `host`; if this machine does
// not have it, there is one UDP socket.
void sockets_open(struct server_sockets *all, const char *host, int port,
                  const char *other_host, int other_port);

// A UDP socket on the address from which this machine reaches `peer`. It tells of ICMP errors.
// Dies where there is none.
int open_socket_towards(const struct sockaddr_storage *peer);

// Opens at most `max` UDP sockets, one for each IPv4 address of this machine (getifaddrs(3));
// those of the loopback interface only if `server` is there as well, and then no others.
// Returns how many.
int local_sockets(const struct sockaddr_storage *server, int fds[], int max);

#endif
