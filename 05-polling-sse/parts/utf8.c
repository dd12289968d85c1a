// utf8.c: see utf8.h.
#include "utf8.h"

// The first byte of a character says how many bytes follow. It also limits the second byte: a
// character must not be longer than necessary, half of a surrogate pair, or above U+10FFFF.
static bool begin(struct utf8 *state, uint8_t byte)
{
    if (byte < 0xc2 || byte > 0xf4)
        return byte < 0x80;
    *state = (struct utf8){.left = 1, .low = 0x80, .high = 0xbf};
    if (byte >= 0xf0)
        state->left = 3;
    else if (byte >= 0xe0)
        state->left = 2;
    switch (byte) {
    case 0xe0:
        state->low = 0xa0;
        break;
    case 0xed:
        state->high = 0x9f;
        break;
    case 0xf0:
        state->low = 0x90;
        break;
    case 0xf4:
        state->high = 0x8f;
        break;
    default:
        break;
    }
    return true;
}

bool utf8_take(struct utf8 *state, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)bytes[i];
        if (!state->left) {
            if (!begin(state, byte))
                return false;
            continue;
        }
        if (byte < state->low || byte > state->high)
            return false;
        *state = (struct utf8){(uint8_t)(state->left - 1), 0x80, 0xbf};
    }
    return true;
}

bool utf8_is_whole(const struct utf8 *state)
{
    return !state->left;
}

bool utf8_is_valid(const char *bytes, size_t length)
{
    struct utf8 state = {0};
    return utf8_take(&state, bytes, length) && utf8_is_whole(&state);
}
