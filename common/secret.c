// secret.c: see secret.h.
#include "secret.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "net.h"

#define BLOCK 64 // bytes that SHA-1 takes at once

void random_bytes(void *bytes, size_t length)
{
    if (getrandom(bytes, length, 0) != (ssize_t)length)
        die("the kernel gives no random numbers: %s", strerror(errno));
}

void hmac_sha1(const void *key, size_t key_length, const void *message, size_t length,
               uint8_t digest[SHA1_BYTES])
{
    uint8_t block[BLOCK] = {0}, inner[BLOCK + HMAC_MESSAGE_MAX], outer[BLOCK + SHA1_BYTES];
    if (length > HMAC_MESSAGE_MAX)
        die("a message of %zu bytes is too long for hmac_sha1()", length);
    if (key_length > BLOCK)
        sha1(key, key_length, block);
    else
        memcpy(block, key, key_length);
    for (int i = 0; i < BLOCK; i++) {
        inner[i] = block[i] ^ 0x36;
        outer[i] = block[i] ^ 0x5c;
    }
    memcpy(inner + BLOCK, message, length);
    sha1(inner, BLOCK + length, outer + BLOCK);
    sha1(outer, sizeof outer, digest);
}

bool same_secret(const uint8_t *a, const uint8_t *b, size_t length)
{
    uint8_t difference = 0;
    for (size_t i = 0; i < length; i++)
        difference |= a[i] ^ b[i];
    return difference == 0;
}
