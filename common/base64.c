// base64.c: see base64.h.
#include "base64.h"

#include <stdint.h>

void base64(const void *bytes, size_t length, char *text)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i += 3) {
        size_t count = length - i < 3 ? length - i : 3;
        uint32_t three = (uint32_t)at[i] << 16 | (count > 1 ? (uint32_t)at[i + 1] << 8 : 0) |
                         (count > 2 ? at[i + 2] : 0);
        for (size_t digit = 0; digit < 4; digit++)
            *text++ = digit <= count ? digits[three >> (18 - 6 * digit) & 63] : '=';
    }
    *text = '\0';
}
