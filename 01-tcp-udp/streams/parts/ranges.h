// ranges.h: a set of numbers, kept as ranges in ascending order: which packets have come, which
// bytes of a stream are here, which have to be sent again.
#ifndef RANGES_H
#define RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "frames.h"

#define RANGES_MAX 2048 // in one set

struct ranges {
    struct range *list;
    uint32_t count, room;
};

// Adds the numbers from..to-1. False: there is no memory, or no room for a further range.
bool ranges_add(struct ranges *set, uint64_t from, uint64_t to);

bool ranges_has(const struct ranges *set, uint64_t number);

// Takes up to `max` numbers away, the lowest first and all of one range. `max` > 0. False: the
// set is empty.
bool ranges_take(struct ranges *set, uint64_t max, struct range *taken);

// Takes the lowest ranges away until `count` are left.
void ranges_keep_highest(struct ranges *set, uint32_t count);

void ranges_free(struct ranges *set);

#endif
