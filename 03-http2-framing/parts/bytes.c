// bytes.c: see bytes.h.
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

#include "smaller.h"

#define ROOM_LEAST 256

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

// Makes room for `length` bytes behind those that wait. Those are moved to the front only where
// they are no more than what was taken since the last time: so a byte is not moved often.
static bool make_room(struct bytes *bytes, size_t length)
{
    size_t room = larger(bytes->room, ROOM_LEAST);
    if (bytes->start > 0 && bytes->start >= bytes->length) {
        memmove(bytes->memory, bytes_at(bytes), bytes->length);
        bytes->start = 0;
    }
    while (room < bytes->start + bytes->length + length)
        room *= 2;
    if (room == bytes->room)
        return true;
    if (used + room - bytes->room > bytes_max)
        return false;
    uint8_t *memory = realloc(bytes->memory, room);
    if (!memory)
        return false;
    used += room - bytes->room;
    bytes->memory = memory;
    bytes->room = room;
    return true;
}

bool bytes_add(struct bytes *bytes, const void *more, size_t length)
{
    if (length == 0)
        return true;
    if (bytes->room - bytes->start - bytes->length < length && !make_room(bytes, length))
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
