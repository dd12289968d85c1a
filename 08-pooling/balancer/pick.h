// pick.h: who gets the next request, or at layer 4 the next connection? Each algorithm is one
// function of about ten lines, or of one line: write another one in its place.
#ifndef PICK_H
#define PICK_H

#include "backends.h"

// For whom.
struct pick_for {
    uint32_t address_hash; // of the client's address, without its port
    uint32_t tried;        // bit N: backends[N] has failed with this very request
};

// The backends that an algorithm may pick: they have a weight, were not tried, and are healthy
// (or all of them, if none is).
struct candidates {
    struct backend *list[BACKENDS_MAX];
    int count; // at least 1
    uint32_t address_hash;
    unsigned turn; // one more with each request for this group
};

// An algorithm is a function that picks; or a figure, of which the lowest one wins.
struct pick_algorithm {
    const char *name;
    struct backend *(*pick)(const struct candidates *from);
    double (*figure)(struct backend *backend);
};

extern const struct pick_algorithm pick_algorithms[]; // ends with an entry without a name

const struct pick_algorithm *pick_find(const char *name); // NULL: there is none

// Picks. Where all backends are unhealthy it takes one of them all the same: the checks may be
// wrong. NULL: all have been tried, or none has a weight.
struct backend *pick(const struct pick_algorithm *algorithm, struct group *group,
                     const struct pick_for *what);

// A number from text, spread evenly: FNV-1a, with its bits mixed.
uint32_t pick_hash(const void *bytes, size_t length);

#endif
