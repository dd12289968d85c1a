// kept.h: a copy of bytes that have to wait, in memory of their own.
#ifndef KEPT_H
#define KEPT_H

#include <stdbool.h>
#include <stddef.h>

struct kept {
    char *bytes; // NULL: none
    size_t length;
};

// Keeps a copy of these bytes in place of what was kept before, of which they may be a part.
// False: there is no memory.
bool kept_set(struct kept *kept, const char *bytes, size_t length);

#endif
