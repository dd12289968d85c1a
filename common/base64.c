// base64.c: see base64.h.
#include "base64.h"

#include <stdint.h>
#include <string.h>

#include "smaller.h"

void base64(const void *bytes, size_t length, char *text)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i += 3) {
        uint8_t group[3] = {0}; // three bytes, with zeros behind the end
        size_t count = smaller(length - i, 3);
        memcpy(group, at + i, count);
        uint32_t three = (uint32_t)(group[0] << 16 | group[1] << 8 | group[2]);
        for (size_t digit = 0; digit <= count; digit++)
            *text++ = digits[three >> (18 - 6 * digit) & 63];
        for (; count < 3; count++)
            *text++ = '=';
    }
    *text = '\0';
}
