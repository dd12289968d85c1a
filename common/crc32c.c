// crc32c.c: see crc32c.h. Eight bytes at a time: table k says what a byte does to the checksum
// that has k more bytes behind it.
#include "crc32c.h"

#define POLYNOMIAL 0x82f63b78 // with its bits in reverse order

static void fill(uint32_t tables[8][256])
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1) * POLYNOMIAL;
        tables[0][byte] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (uint32_t byte = 0; byte < 256; byte++)
            tables[k][byte] = tables[k - 1][byte] >> 8 ^ tables[0][tables[k - 1][byte] & 0xff];
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t length)
{
    static uint32_t tables[8][256];
    const uint8_t *at = bytes;
    if (!tables[0][1])
        fill(tables);
    crc = ~crc;
    for (; length >= 8; at += 8, length -= 8) {
        uint32_t next = 0;
        for (int k = 0; k < 8; k++) {
            uint8_t byte = k < 4 ? at[k] ^ (uint8_t)(crc >> (8 * k)) : at[k];
            next ^= tables[7 - k][byte];
        }
        crc = next;
    }
    for (; length; at++, length--)
        crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xff];
    return ~crc;
}
