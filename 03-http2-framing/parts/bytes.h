// bytes.h: bytes that wait to be used or to be sent: added at the end, taken from the front.
// For the variations, whose servers keep such bytes for many streams at once: all of them
// together have a limit.
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BYTES_MAX ((size_t)256 << 20) // that wait in the whole program

// All zero: none, and no memory.
struct bytes {
    uint8_t *memory;
    size_t start, length, room;
};

// BYTES_MAX, unless a test sets another limit.
extern size_t bytes_max;

// How much memory all of them have. They are scarce while that is half of the limit: a peer
// that takes nothing must not wait any longer then.
size_t bytes_used(void);
bool bytes_are_scarce(void);

// False: there is no memory, or the limit is reached.
bool bytes_add(struct bytes *bytes, const void *more, size_t length);
const uint8_t *bytes_at(const struct bytes *bytes); // never NULL
void bytes_drop(struct bytes *bytes, size_t length);
void bytes_free(struct bytes *bytes);

#endif
