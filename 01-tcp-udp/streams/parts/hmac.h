// hmac.h: a short proof that whoever wrote these bytes knows a key (HMAC, RFC 2104, with
// SHA-1).
#ifndef HMAC_H
#define HMAC_H

#include <stddef.h>
#include <stdint.h>

#define HMAC_BYTES     20
#define HMAC_KEY_MAX   64 // bytes of a key
#define HMAC_INPUT_MAX 2000

void hmac_sha1(const void *key, size_t key_length, const void *bytes, size_t length,
               uint8_t result[HMAC_BYTES]);

#endif
