// bytes.c: see bytes.h.
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

size_t bytes_max = BYTES_MAX;

static size_t used;

size_t bytes_used(void)
{
    return used;
}

bool bytes_are_scarce(void)
{
    return used > bytes_max / 2;
}

// Moves what is left to the front, or to larger memory.
static bool make_room(struct bytes *bytes, size_t length)
{
    size_t room = bytes->room;
    if (bytes->start + bytes->length + length <= room)
        return true;
    if (bytes->length + length > room || bytes->start < room / 2) {
        room = 2 * room + length;
        if (used + room - bytes->room > bytes_max)
            return false;
        uint8_t *memory = malloc(room);
        if (!memory)
            return false;
        if (bytes->length)
            memcpy(memory, bytes_at(bytes), bytes->length);
        free(bytes->memory);
        used += room - bytes->room;
        bytes->memory = memory;
        bytes->room = room;
    } else {
        memmove(bytes->memory, bytes_at(bytes), bytes->length);
    }
    bytes->start = 0;
    return true;
}

bool bytes_add(struct bytes *bytes, const void *more, size_t length)
{
    if (length == 0)
        return true;
    if (!make_room(bytes, length))
        return false;
    memcpy(bytes->memory + bytes->start + bytes->length, more, length);
    bytes->length += length;
    return true;
}

const uint8_t *bytes_at(const struct bytes *bytes)
{
    if (bytes->length == 0)
        return (const uint8_t *)"";
    return bytes->memory + bytes->start;
}

void bytes_drop(struct bytes *bytes, size_t length)
{
    bytes->start += length;
    bytes->length -= length;
    if (bytes->length == 0)
        bytes_free(bytes);
}

void bytes_free(struct bytes *bytes)
{
    used -= bytes->room;
    free(bytes->memory);
    *bytes = (struct bytes){0};
}
