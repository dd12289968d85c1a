// hmac.c: see hmac.h.
#include "hmac.h"

#include <string.h>

#include "sha1.h"

#define BLOCK 64 // bytes that SHA-1 takes at once

static void hash_behind_key(const uint8_t *key, size_t key_length, uint8_t mask,
                            const void *bytes, size_t length, uint8_t result[HMAC_BYTES])
{
    uint8_t all[BLOCK + HMAC_INPUT_MAX];
    memset(all, mask, BLOCK);
    for (size_t i = 0; i < key_length; i++)
        all[i] ^= key[i];
    memcpy(all + BLOCK, bytes, length);
    sha1(all, BLOCK + length, result);
}

void hmac_sha1(const void *key, size_t key_length, const void *bytes, size_t length,
               uint8_t result[HMAC_BYTES])
{
    uint8_t inner[HMAC_BYTES];
    hash_behind_key(key, key_length, 0x36, bytes, length, inner);
    hash_behind_key(key, key_length, 0x5c, inner, sizeof inner, result);
}
