// utf8.h: checks that text is UTF-8 (RFC 3629 §4; RFC 6455 §8.1). The text may come in pieces:
// a wrong byte is found as soon as it comes.
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The state between two pieces; all zero at the beginning of a text.
struct utf8 {
    uint8_t left; // how many bytes of the present character have to come
    uint8_t low;  // the smallest value that the next byte may have
    uint8_t high; // the largest one
};

// Takes the next bytes. False: no bytes that could follow would make it UTF-8.
bool utf8_take(struct utf8 *state, const char *bytes, size_t length);

// True if the last character of the text is whole.
bool utf8_is_whole(const struct utf8 *state);

// True if these bytes are whole, valid UTF-8.
bool utf8_is_valid(const char *bytes, size_t length);

#endif
