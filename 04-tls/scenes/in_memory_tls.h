// in_memory_tls.h: a client and a server in one program, without a network. The bytes that one
// side writes are kept in memory until they are given to the other side. This is used to count
// bytes and CPU time.
#ifndef IN_MEMORY_TLS_H
#define IN_MEMORY_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct side {
    SSL *ssl;
    BIO *in, *out; // they belong to the SSL
    double cpu_us; // CPU time of the handshake
    size_t sent;   // bytes that it has written
};

// Microseconds of CPU time that this thread has used so far.
double duo_cpu_us(void);

// Gives an SSL two BIOs in memory, in place of the BIOs that it had.
void side_begin(struct side *side, SSL *ssl, bool is_server);

// Goes on with the handshake. True: it is done. Dies if it has failed.
bool side_shake(struct side *side);

// side_take() takes up to `size` bytes that a side has written, and returns how many;
// side_give() gives a side bytes to read.
size_t side_take(struct side *side, void *bytes, size_t size);
void side_give(struct side *side, const void *bytes, size_t length);

// A whole handshake, with the tickets after it.
void duo_shake(struct side *client, struct side *server);

#endif
