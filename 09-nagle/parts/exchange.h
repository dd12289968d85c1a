// exchange.h: what a request needs around it: a connection, a write() that is checked, and the
// answer. Each function that fails ends the program with the reason.
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TIMEOUT_MS 5000 // how long one write() and one answer may take

// Connects to the server. Returns the socket.
int open_connection(const char *host, int port);

// Ends the program unless write() or writev() has sent all `length` bytes: `sent` is what it
// has returned.
void check_sent(ssize_t sent, size_t length);

// Sends all of these bytes in one write().
void put(int fd, const void *bytes, size_t length);

// Waits for the server's one byte.
void await_answer(int fd);

// How many segments with data the kernel has sent on this connection.
uint32_t segments_sent(int fd);

#endif
