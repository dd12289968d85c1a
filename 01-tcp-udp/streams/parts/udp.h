// udp.h: UDP sockets for both ends: no packet is cut into fragments on its way, and nothing
// waits for ever.
#ifndef UDP_H
#define UDP_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

// A socket that is bound to host:port. -1: errno says why not; dies if there is no such host.
int udp_listen(const char *host, int port);

// A socket that is connected to an address: nothing comes from any other one.
int udp_connect(const struct sockaddr_storage *peer);

// Sends a datagram; `to` is NULL on a connected socket. One that cannot be sent is lost.
void udp_send(int fd, const uint8_t *bytes, size_t length, const struct sockaddr_storage *to);

// The next datagram that is here. -1: there is none, or errno is ECONNREFUSED.
ssize_t udp_receive(int fd, uint8_t *bytes, size_t room, struct sockaddr_storage *from);

// poll(), until due_ns on now_ns()'s clock at the latest (NEVER: no end).
int udp_wait(struct pollfd *polls, int count, int64_t due_ns);

#endif
