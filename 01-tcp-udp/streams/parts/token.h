// token.h: a server's token: with it a client shows that it has got what the server sent to its
// address. The server keeps nothing meanwhile: all it has to know is in the token.
#ifndef TOKEN_H
#define TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define TOKEN_BYTES     20
#define TOKEN_SECONDS   10 // that a token is good for
#define TOKEN_KEY_BYTES 32

// A token for whoever is at this address, and comes back to the connection id `id`.
void token_make(const uint8_t key[TOKEN_KEY_BYTES], const struct sockaddr_storage *address,
                const uint8_t *id, int64_t now_ns, uint8_t token[TOKEN_BYTES]);

bool token_is_good(const uint8_t key[TOKEN_KEY_BYTES], const struct sockaddr_storage *address,
                   const uint8_t *id, int64_t now_ns, const uint8_t *token, size_t length);

#endif
