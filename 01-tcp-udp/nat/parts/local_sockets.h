// local_sockets.h: a UDP socket on each address of this machine.
#ifndef LOCAL_SOCKETS_H
#define LOCAL_SOCKETS_H

#include <sys/socket.h>

// Opens at most `max` sockets, one for each IPv4 address (getifaddrs(3)); those of the loopback
// interface only if `server` is there as well, and then no others. Returns how many.
int local_sockets(const struct sockaddr_storage *server, int fds[], int max);

#endif
