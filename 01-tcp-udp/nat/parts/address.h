// address.h: socket addresses of IPv4 and IPv6: makes, compares and reads them; and random
// bytes.
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

// `bytes` are the 4 (IPv4) or 16 (IPv6) of the address, in network byte order.
struct sockaddr_storage address_make(bool is_ipv4, const void *bytes, uint16_t port);

// Reads an address in digits: no name. False if it is none.
bool address_read(const char *text, uint16_t port, struct sockaddr_storage *address);

// The bytes of the address; 0 of them where it is neither IPv4 nor IPv6.
const void *address_bytes(const struct sockaddr_storage *address, size_t *length);

uint16_t address_port(const struct sockaddr_storage *address);
socklen_t address_size(const struct sockaddr_storage *address);

// The address in digits, without its port; `text` has NET_NAME bytes. Returns text.
char *address_text(const struct sockaddr_storage *address, char *text);

// The same host; the same host and port.
bool address_is_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
bool address_is(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

bool address_is_loopback(const struct sockaddr_storage *address);

// This end of a socket.
struct sockaddr_storage address_of_socket(int fd);

// Bytes that nobody can guess (getrandom(2)).
void random_bytes(void *bytes, size_t length);

#endif
