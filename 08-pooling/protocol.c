// protocol.c: see protocol.h.
#include "protocol.h"

#include <arpa/inet.h>
#include <string.h>

#define LENGTH_BYTES 4 // the length in front of a frame, which does not count itself
#define LEAST        (FRAME_HEADER_BYTES - LENGTH_BYTES)

static uint32_t get_u32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return ntohl(value);
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
    value = htonl(value);
    memcpy(bytes, &value, sizeof value);
}

// Returns how many fields there are; -1: the payload is no list of fields.
static int read_fields(const uint8_t *at, const uint8_t *end, struct field fields[FIELDS_MAX])
{
    int count = 0;
    while (at < end) {
        if (end - at < 2 || count == FIELDS_MAX)
            return -1;
        size_t length = (size_t)(at[0] << 8 | at[1]);
        at += 2;
        if ((size_t)(end - at) < length || memchr(at, '\0', length))
            return -1;
        fields[count++] = (struct field){(const char *)at, length};
        at += length;
    }
    return count;
}

ssize_t frame_read(const void *bytes, size_t length, struct frame *frame)
{
    const uint8_t *at = bytes;
    if (length < LENGTH_BYTES)
        return 0;
    uint32_t rest = get_u32(at);
    if (rest < LEAST || rest > FRAME_MAX_BYTES)
        return -1;
    if (length - LENGTH_BYTES < rest)
        return 0;
    const uint8_t *end = at + LENGTH_BYTES + rest;
    frame->id = get_u32(at + LENGTH_BYTES);
    frame->kind = at[FRAME_HEADER_BYTES - 1];
    frame->count = read_fields(at + FRAME_HEADER_BYTES, end, frame->fields);
    return end - at;
}

bool field_is(const struct field *field, const char *text)
{
    return field->length == strlen(text) && !memcmp(field->at, text, field->length);
}

size_t frame_write(void *room, size_t size, enum kind kind, uint32_t id,
                   const char *const fields[], int count)
{
    uint8_t *begin = room, *at = begin + FRAME_HEADER_BYTES;
    if (size > LENGTH_BYTES + FRAME_MAX_BYTES)
        size = LENGTH_BYTES + FRAME_MAX_BYTES;
    if (size < FRAME_HEADER_BYTES || count > FIELDS_MAX)
        return 0;
    for (int i = 0; i < count; i++) {
        size_t length = strlen(fields[i]), left = size - (size_t)(at - begin);
        if (left < 2 || left - 2 < length)
            return 0;
        at[0] = (uint8_t)(length >> 8); // two bytes are enough: length < FRAME_MAX_BYTES
        at[1] = (uint8_t)length;
        memcpy(at + 2, fields[i], length);
        at += 2 + length;
    }
    put_u32(begin, (uint32_t)(at - begin - LENGTH_BYTES));
    put_u32(begin + LENGTH_BYTES, id);
    begin[FRAME_HEADER_BYTES - 1] = (uint8_t)kind;
    return (size_t)(at - begin);
}
