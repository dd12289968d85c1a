// crc32.c: see crc32.h.
#include "crc32.h"

uint32_t crc32(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < length; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++) {
            if (crc & 1)
                crc = crc >> 1 ^ 0xedb88320u; // the polynomial, its bits in reverse order
            else
                crc >>= 1;
        }
    }
    return ~crc;
}
