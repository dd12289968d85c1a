// ranges.c: see ranges.h.
#include "ranges.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 4 // ranges

static bool make_room(struct ranges *set)
{
    if (set->count < set->room)
        return true;
    uint32_t room = ROOM_FIRST;
    if (set->room)
        room = 2 * set->room;
    if (room > RANGES_MAX)
        return false;
    struct range *list = realloc(set->list, room * sizeof *list);
    if (!list)
        return false;
    set->list = list;
    set->room = room;
    return true;
}

// The first range that ends at `number` or behind it.
static uint32_t find(const struct ranges *set, uint64_t number)
{
    uint32_t low = 0;
    for (uint32_t high = set->count, middle; low < high;)
        if (set->list[middle = (low + high) / 2].to < number)
            low = middle + 1;
        else
            high = middle;
    return low;
}

static void remove_at(struct ranges *set, uint32_t at, uint32_t count)
{
    memmove(set->list + at, set->list + at + count,
            (set->count - at - count) * sizeof *set->list);
    set->count -= count;
}

bool ranges_add(struct ranges *set, uint64_t from, uint64_t to)
{
    uint32_t at = find(set, from), end = at;
    if (from >= to)
        return true;
    while (end < set->count && set->list[end].from <= to)
        end++; // these are joined with the new one
    if (end == at) {
        if (!make_room(set))
            return false;
        memmove(set->list + at + 1, set->list + at, (set->count - at) * sizeof *set->list);
        set->count++;
        set->list[at] = (struct range){from, to};
        return true;
    }
    struct range *joined = &set->list[at];
    if (set->list[end - 1].to > to)
        to = set->list[end - 1].to;
    if (from < joined->from)
        joined->from = from;
    joined->to = to;
    remove_at(set, at + 1, end - at - 1);
    return true;
}

bool ranges_has(const struct ranges *set, uint64_t number)
{
    uint32_t at = find(set, number + 1);
    return at < set->count && set->list[at].from <= number;
}

bool ranges_take(struct ranges *set, uint64_t max, struct range *taken)
{
    if (set->count == 0)
        return false;
    *taken = set->list[0];
    if (taken->to - taken->from > max) {
        taken->to = taken->from + max;
        set->list[0].from = taken->to;
    } else {
        remove_at(set, 0, 1);
    }
    return true;
}

void ranges_keep_highest(struct ranges *set, uint32_t count)
{
    if (set->count > count)
        remove_at(set, 0, set->count - count);
}

void ranges_free(struct ranges *set)
{
    free(set->list);
    *set = (struct ranges){0};
}
