// uuid.c: see uuid.h.
#include "uuid.h"

#include <sys/random.h>

bool uuid_new(uint8_t uuid[UUID_BYTES])
{
    if (getrandom(uuid, UUID_BYTES, 0) != UUID_BYTES)
        return false;
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40); // version 4
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80); // variant 10
    return true;
}

char *uuid_write(const uint8_t uuid[UUID_BYTES], char text[UUID_LENGTH + 1])
{
    static const char digits[] = "0123456789abcdef";
    char *to = text;
    for (int i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = digits[uuid[i] >> 4];
        *to++ = digits[uuid[i] & 15];
    }
    *to = '\0';
    return text;
}
