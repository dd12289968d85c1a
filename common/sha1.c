// sha1.c: see sha1.h. The names a, b, c, d, e, w are those of RFC 3174.
#include "sha1.h"

#include <string.h>

#define BLOCK 64

static uint32_t rotate(uint32_t x, int bits)
{
    return x << bits | x >> (32 - bits);
}

static void add_block(uint32_t h[5], const uint8_t *block)
{
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (int t = 16; t < 80; t++)
        w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    for (int t = 0; t < 80; t++) {
        uint32_t f; // f(t; b, c, d) + K(t), in the RFC's words
        if (t < 20)
            f = ((b & c) | (~b & d)) + 0x5a827999;
        else if (t < 40)
            f = (b ^ c ^ d) + 0x6ed9eba1;
        else if (t < 60)
            f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
        else
            f = (b ^ c ^ d) + 0xca62c1d6;
        uint32_t next = rotate(a, 5) + f + e + w[t];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

void sha1(const void *bytes, size_t length, uint8_t digest[SHA1_BYTES])
{
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t end[2 * BLOCK] = {0};
    const uint8_t *at = bytes;
    size_t rest = length;
    for (; rest >= BLOCK; at += BLOCK, rest -= BLOCK)
        add_block(h, at);
    // What is left, a bit that is set, zeros, and the length in bits, in one block or two.
    size_t blocks = 1;
    if (rest + 9 > BLOCK) // no room for the 0x80 and the length
        blocks = 2;
    memcpy(end, at, rest);
    end[rest] = 0x80;
    for (int i = 0; i < 8; i++)
        end[blocks * BLOCK - 1 - (size_t)i] = (uint8_t)((uint64_t)length * 8 >> (8 * i));
    for (size_t i = 0; i < blocks; i++)
        add_block(h, end + i * BLOCK);
    for (int i = 0; i < SHA1_BYTES; i++)
        digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}
