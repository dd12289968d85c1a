// hmac_sha1.h: HMAC with SHA-1 (RFC 2104): a checksum of a message that only those can make who
// have the key. (A collision of SHA-1 does not help an attacker here: he would need the key.)
#ifndef HMAC_SHA1_H
#define HMAC_SHA1_H

#include <stddef.h>
#include <stdint.h>

#include "sha1.h"

#define HMAC_MESSAGE_MAX 1500 // bytes of a message

// Dies if the message is longer than HMAC_MESSAGE_MAX.
void hmac_sha1(const void *key, size_t key_length, const void *message, size_t length,
               uint8_t digest[SHA1_BYTES]);

#endif
