// in_memory_tls.h: a client and a server in one program, without a network: what one of them
// writes is memory until it is handed to the other one. For counting bytes and CPU time.
#ifndef IN_MEMORY_TLS_H
#define IN_MEMORY_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct side {
    SSL *ssl;
    BIO *in, *out; // they belong to the SSL
    double cpu_us; // of the handshake
    size_t sent;   // bytes
};

// Microseconds of CPU time that this thread has used so far.
double duo_cpu_us(void);

// Gives an SSL its two memories, in place of what it had.
void side_begin(struct side *side, SSL *ssl, bool is_server);

// Goes on with the handshake. True: it is done. Dies if it has failed.
bool side_shake(struct side *side);

// What it has to say to the other one: up to `size` bytes; 0: nothing.
size_t side_take(struct side *side, void *bytes, size_t size);
void side_give(struct side *side, const void *bytes, size_t length);

// A whole handshake, with the tickets after it.
void duo_shake(struct side *client, struct side *server);

#endif
