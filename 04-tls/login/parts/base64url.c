// base64url.c: see base64url.h.
#include "base64url.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t base64url_write(const void *bytes, size_t length, char *text)
{
    const uint8_t *from = bytes;
    uint32_t bits = 0;
    unsigned waiting = 0; // bits of `bits` that are not written yet
    size_t at = 0;
    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | from[i];
        for (waiting += 8; waiting >= 6; waiting -= 6)
            text[at++] = alphabet[bits >> (waiting - 6) & 63];
    }
    if (waiting)
        text[at++] = alphabet[bits << (6 - waiting) & 63];
    text[at] = '\0';
    return at;
}

static int value_of(char letter)
{
    const char *place = NULL;
    if (letter)
        place = strchr(alphabet, letter);
    if (!place)
        return -1;
    return (int)(place - alphabet);
}

bool base64url_read(struct http_text text, uint8_t *bytes, size_t size, size_t *length)
{
    uint32_t bits = 0;
    unsigned waiting = 0;
    *length = 0;
    if (text.length % 4 == 1 || text.length * 6 / 8 > size)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        int value = value_of(text.at[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        waiting += 6;
        if (waiting >= 8) {
            waiting -= 8;
            bytes[(*length)++] = (uint8_t)(bits >> waiting);
        }
    }
    return !(bits & ((1u << waiting) - 1));
}
