// datagram.h: socket addresses of IPv4 and IPv6, and the calls for datagrams (UDP) that have
// one in them.
#ifndef DATAGRAM_H
#define DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

// `bytes` are the 4 (IPv4) or 16 (IPv6) of the address, in network byte order.
struct sockaddr_storage address_make(bool is_ipv4, const void *bytes, uint16_t port);

// Reads an address in digits: no name. False if it is none.
bool address_read(const char *text, uint16_t port, struct sockaddr_storage *address);

// The bytes of the address; 0 of them where it is neither IPv4 nor IPv6.
const void *address_bytes(const struct sockaddr_storage *address, size_t *length);

uint16_t address_port(const struct sockaddr_storage *address);
void address_set_port(struct sockaddr_storage *address, uint16_t port);
socklen_t address_size(const struct sockaddr_storage *address);

// The address in digits, without its port; `text` has NET_NAME bytes. Returns text.
char *address_text(const struct sockaddr_storage *address, char *text);

// The same host; the same host and port.
bool address_is_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
bool address_is(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

bool address_is_loopback(const struct sockaddr_storage *address);

// This end of a socket.
struct sockaddr_storage address_of_socket(int fd);

// A UDP socket that is bound to an address. -1: there is none (errno).
int datagram_bind(const struct sockaddr_storage *address);

// A UDP socket that is bound to host:port (port 0: the kernel chooses), and in *listener a TCP
// socket that listens on the same port number. Dies with the reason where that is not possible.
int datagram_listen(const char *host, int port, int backlog, int *listener);

// Sends a datagram, and does not wait. Returns its length, or -1 and errno.
ssize_t datagram_send(int fd, const void *bytes, size_t length,
                      const struct sockaddr_storage *to);

// Takes the next datagram, and does not wait. Returns its length, at most `room`; -1: there is
// none, or an error that an earlier one has caused is in errno (an ICMP message has come).
ssize_t datagram_receive(int fd, void *bytes, size_t room, struct sockaddr_storage *from);

#endif
