// utf8.h: is this UTF-8? Asked of text that comes in pieces, so that a wrong byte is found when
// it comes and not when the text is whole (RFC 3629 §4; RFC 6455 §8.1).
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Where in a character the text stands; all zero at its beginning.
struct utf8 {
    uint8_t left;      // bytes of this character that have to come
    uint8_t low, high; // between which the next one must be
};

// Takes the next bytes. False: no bytes that could follow would make it UTF-8.
bool utf8_take(struct utf8 *state, const char *bytes, size_t length);

// True if a text that ends here ends with a whole character.
bool utf8_is_whole(const struct utf8 *state);

// True if these bytes are whole, valid UTF-8.
bool utf8_is_valid(const char *bytes, size_t length);

#endif
