// udp.h: UDP sockets for both ends: no packet is cut into fragments on its way, and nothing
// waits for ever. What comes is taken by datagram_receive().
#ifndef UDP_H
#define UDP_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

// Prepares a UDP socket: no fragments, and large buffers.
void udp_prepare(int fd, int family);

// A socket that is connected to an address: nothing comes from any other one. Its own address
// is `local`, or, if that is NULL, what the kernel chooses. -1: errno says why not.
int udp_connect(const struct sockaddr_storage *peer, const char *local);

// Sends a datagram; `to` is NULL on a connected socket. One that cannot be sent is lost.
void udp_send(int fd, const uint8_t *bytes, size_t length, const struct sockaddr_storage *to);

// poll(), until due_ns on now_ns()'s clock at the latest (NEVER: no end).
int udp_wait(struct pollfd *polls, int count, int64_t due_ns);

#endif
