// secret.h: what keeps strangers out: bytes that nobody can guess, and a proof that whoever
// wrote a message knows a key.
#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sha1.h"

#define HMAC_MESSAGE_MAX 2000 // bytes of a message

// Bytes that nobody can guess (getrandom(2)). Dies where the kernel gives none.
void random_bytes(void *bytes, size_t length);

// HMAC with SHA-1 (RFC 2104): a checksum of a message that only those can make who have the
// key. (A collision of SHA-1 does not help an attacker here: he would need the key.) Dies if
// the message is longer than HMAC_MESSAGE_MAX.
void hmac_sha1(const void *key, size_t key_length, const void *message, size_t length,
               uint8_t digest[SHA1_BYTES]);

// Whether two proofs are the same. It looks at all bytes, so that the time that it takes does
// not tell how many of them are right.
bool same_secret(const uint8_t *a, const uint8_t *b, size_t length);

#endif
