// ranges.c: see ranges.h.
#include "ranges.h"

#include <stdio.h>
#include <sys/random.h>

// Between the parts. A boundary must not occur in the file: so each server draws one by lot.
static const char *boundary(void)
{
    static char text[40];
    uint64_t random[2] = {0};
    if (!*text) {
        if (getrandom(random, sizeof random, 0) != sizeof random)
            random[0] = (uint64_t)time(NULL);
        snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)random[0],
                 (unsigned long long)random[1]);
    }
    return text;
}

const char *ranges_type(void)
{
    static char type[100];
    snprintf(type, sizeof type, "multipart/byteranges; boundary=%s", boundary());
    return type;
}

// ---- what the client asks for --------------------------------------------------------------

// Reads "from-last", "from-" or "-length". False: it is none of these.
static bool read_range(struct http_text item, uint64_t size, uint64_t *from, uint64_t *end)
{
    const char *dash = memchr(item.at, '-', item.length);
    uint64_t number = 0, last = UINT64_MAX - 1;
    if (!dash)
        return false;
    struct http_text first = {item.at, (size_t)(dash - item.at)},
                     second = {dash + 1, item.length - first.length - 1};
    if (second.length && !http_number(second, UINT64_MAX - 1, &last))
        return false;
    if (first.length == 0) { // the last bytes of the file
        *from = 0;
        if (last < size)
            *from = size - last;
        *end = size;
        return second.length > 0;
    }
    if (!http_number(first, UINT64_MAX - 1, &number) || last < number)
        return false;
    *from = number;
    *end = size;
    if (last < size)
        *end = last + 1;
    return true;
}

enum ranges_result ranges_read(struct http_text value, uint64_t size, struct ranges *ranges)
{
    static const char unit[] = "bytes=";
    uint64_t from, end, bytes = 0;
    bool any = false;
    struct http_text item;
    ranges->size = size;
    ranges->count = 0;
    if (value.length < sizeof unit - 1 || strncasecmp(value.at, unit, sizeof unit - 1) != 0)
        return RANGES_IGNORED;
    struct http_text list = {value.at + sizeof unit - 1, value.length - (sizeof unit - 1)};
    while (http_next_item(&list, &item)) {
        if (!read_range(item, size, &from, &end))
            return RANGES_IGNORED;
        any = true;
        if (from >= end)
            continue; // behind the end of the file
        if (ranges->count == RANGES_MAX)
            return RANGES_IGNORED;
        ranges->range[ranges->count].from = from;
        ranges->range[ranges->count++].length = end - from;
        bytes += end - from;
    }
    if (bytes > size)
        return RANGES_IGNORED; // they overlap: that is more than the file (RFC 9110 §14.2)
    if (ranges->count > 0)
        return RANGES_FOUND;
    if (any)
        return RANGES_OUTSIDE;
    return RANGES_IGNORED;
}

// ---- what is sent --------------------------------------------------------------------------

// Writes what stands before range number i, or behind the last one. Returns its length.
static size_t part_head(const struct ranges *ranges, int i, char text[PART_HEAD_BYTES])
{
    int length = 0;
    const char *new_line = "\r\n";
    if (i == 0)
        new_line = "";
    if (ranges->count > 1 && i == ranges->count)
        length = snprintf(text, PART_HEAD_BYTES, "\r\n--%s--\r\n", boundary());
    else if (ranges->count > 1)
        length = snprintf(
            text, PART_HEAD_BYTES,
            "%s--%s\r\nContent-Type: %s\r\nContent-Range: bytes %llu-%llu/%llu\r\n\r\n",
            new_line, boundary(), ranges->type, (unsigned long long)ranges->range[i].from,
            (unsigned long long)(ranges->range[i].from + ranges->range[i].length - 1),
            (unsigned long long)ranges->size);
    return (size_t)length;
}

uint64_t ranges_length(const struct ranges *ranges)
{
    char text[PART_HEAD_BYTES];
    uint64_t length = part_head(ranges, ranges->count, text);
    for (int i = 0; i < ranges->count; i++)
        length += part_head(ranges, i, text) + ranges->range[i].length;
    return length;
}

void ranges_at(const struct ranges *ranges, uint64_t position, struct ranges_piece *piece)
{
    piece->text = NULL;
    piece->length = 0;
    for (int i = 0; i <= ranges->count; i++) {
        size_t head = part_head(ranges, i, piece->head);
        if (position < head) {
            piece->text = piece->head + position;
            piece->length = head - position;
            return;
        }
        position -= head;
        if (i < ranges->count && position < ranges->range[i].length) {
            piece->offset = ranges->range[i].from + position;
            piece->length = ranges->range[i].length - position;
            return;
        }
        if (i < ranges->count)
            position -= ranges->range[i].length;
    }
}
