// qpack.c: see qpack.h. Read decode_field() first.
#include "qpack.h"

#include "huffman.h"
#include "smaller.h"

#define INTEGER_SHIFT_MAX 56 // 8 bytes of 7 bits behind the prefix: enough for 62 bits

// ---- numbers and strings -------------------------------------------------------------------

struct input {
    const uint8_t *at, *end;
};

// Reads a number with a prefix of so many bits (RFC 7541 §5.1).
static bool read_integer(struct input *in, int prefix, uint64_t *value)
{
    uint8_t mask = (uint8_t)((1 << prefix) - 1), byte;
    if (in->at == in->end)
        return false;
    *value = *in->at++ & mask;
    if (*value < mask)
        return true;
    for (int shift = 0; shift <= INTEGER_SHIFT_MAX; shift += 7) {
        if (in->at == in->end)
            return false;
        byte = *in->at++;
        *value += (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return *value <= NUMBER_MAX;
    }
    return false;
}

static uint8_t *write_integer(uint8_t *out, uint8_t first, int prefix, uint64_t value)
{
    uint8_t mask = (uint8_t)((1 << prefix) - 1);
    if (value < mask) {
        *out++ = (uint8_t)(first | value);
        return out;
    }
    *out++ = first | mask;
    for (value -= mask; value >= 0x80; value >>= 7)
        *out++ = (uint8_t)(value | 0x80);
    *out++ = (uint8_t)value;
    return out;
}

// Reads a string to the list. The bit above the prefix says whether it is Huffman's code.
static bool read_string(struct input *in, int prefix, struct qpack_list *list,
                        struct http_text *text)
{
    uint64_t length;
    bool huffman = in->at < in->end && *in->at & 1 << prefix;
    if (!read_integer(in, prefix, &length) || length > (uint64_t)(in->end - in->at))
        return false;
    size_t room = sizeof list->bytes - list->used;
    char *to = list->bytes + list->used;
    ssize_t decoded = (ssize_t)length;
    if (huffman)
        decoded = huffman_decode(in->at, length, to, room);
    else if (length > room)
        decoded = HUFFMAN_TOO_LONG;
    else
        memcpy(to, in->at, length);
    in->at += length;
    if (decoded == HUFFMAN_BAD)
        return false;
    if (decoded == HUFFMAN_TOO_LONG) {
        list->too_long = true;
        decoded = 0;
    }
    *text = (struct http_text){to, (size_t)decoded};
    list->used += (size_t)decoded;
    return true;
}

static struct http_text text_of(const char *word)
{
    return (struct http_text){word, strlen(word)};
}

// ---- decoding ------------------------------------------------------------------------------

// Reads an index into the static table. The bit above the prefix says which table: clear means
// the dynamic one, which has no entries here.
static bool read_index(struct input *in, int prefix, const struct qpack_entry **entry)
{
    uint64_t index;
    bool is_static = *in->at & 1 << prefix;
    if (!read_integer(in, prefix, &index) || !is_static || index >= QPACK_STATIC)
        return false;
    *entry = &qpack_table[index];
    return true;
}

// Decodes one field (§4.5.2 to §4.5.6).
static bool decode_field(struct input *in, struct qpack_list *list, struct http_field *field)
{
    const struct qpack_entry *entry;
    uint8_t first = *in->at;
    if (first & 0x80) {
        if (!read_index(in, 6, &entry))
            return false;
        field->name = text_of(entry->name);
        field->value = text_of(entry->value);
        return true;
    }
    if (first & 0x40) {
        if (!read_index(in, 4, &entry))
            return false;
        field->name = text_of(entry->name);
    } else if (first & 0x20) {
        if (!read_string(in, 3, list, &field->name))
            return false;
    } else {
        return false; // relative to the base of a dynamic table
    }
    return read_string(in, 7, list, &field->value);
}

// Reads what stands in front of the fields (§4.5.1): how many entries of the dynamic table the
// section needs, and from where it counts them. Both have to be 0 here.
static bool decode_prefix(struct input *in)
{
    uint64_t needed, base;
    if (!read_integer(in, 8, &needed) || needed > 0 || in->at == in->end)
        return false;
    bool negative = *in->at & 0x80; // a base below zero is not possible
    return !negative && read_integer(in, 7, &base);
}

bool qpack_decode(const uint8_t *section, size_t length, struct qpack_list *list)
{
    struct input in = {section, section + length};
    huffman_begin();
    list->count = list->size = list->used = 0;
    list->too_long = false;
    if (!decode_prefix(&in))
        return false;
    while (in.at < in.end) {
        struct http_field *field = &list->fields[list->count];
        if (!decode_field(&in, list, field))
            return false;
        list->size += field->name.length + field->value.length + QPACK_FIELD_OVERHEAD;
        if (list->size > SECTION_MAX)
            list->too_long = true;
        if (list->too_long)
            list->used = 0; // the caller will not read the texts
        else
            list->count++;
    }
    return true;
}

// ---- encoding ------------------------------------------------------------------------------

// Looks a field up. Returns its index, or, if only its name is there, that of the name, or -1.
static int look_up(const struct http_field *field, bool *whole)
{
    int named = -1;
    for (int i = 0; i < QPACK_STATIC; i++) {
        if (!http_is(field->name, qpack_table[i].name))
            continue;
        *whole = http_is(field->value, qpack_table[i].value);
        if (*whole)
            return i;
        if (named < 0)
            named = i;
    }
    return named;
}

static uint8_t *write_string(uint8_t *out, uint8_t first, int prefix, struct http_text text)
{
    size_t size = huffman_size(text.at, text.length);
    if (size < text.length) {
        out = write_integer(out, first | (uint8_t)(1 << prefix), prefix, size);
        return huffman_encode(out, text.at, text.length);
    }
    out = write_integer(out, first, prefix, text.length);
    memcpy(out, text.at, text.length);
    return out + text.length;
}

size_t qpack_encode(uint8_t *out, size_t size, const struct http_field *fields, size_t count)
{
    uint8_t *start = out;
    size_t needed = 2;
    huffman_begin();
    for (size_t i = 0; i < count; i++) // a number takes 10 bytes at most
        needed += fields[i].name.length + fields[i].value.length + 20;
    if (needed > size)
        return 0;
    *out++ = 0; // needs nothing of the dynamic table
    *out++ = 0;
    for (size_t i = 0; i < count; i++) {
        bool whole = false;
        int index = look_up(&fields[i], &whole);
        if (whole) {
            out = write_integer(out, 0xc0, 6, (uint64_t)index);
            continue;
        }
        if (index >= 0)
            out = write_integer(out, 0x50, 4, (uint64_t)index);
        else
            out = write_string(out, 0x20, 3, fields[i].name);
        out = write_string(out, 0, 7, fields[i].value);
    }
    return (size_t)(out - start);
}

// ---- the peer's instructions ---------------------------------------------------------------

// Encoder stream: only "the capacity is 0" (001 and a number). Decoder stream: only "this
// stream is cancelled" (01 and a number, which may go on in further bytes).
struct fault qpack_instructions(bool encoder, uint64_t *state, const uint8_t *bytes,
                                size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (encoder && bytes[i] != 0x20)
            return connection_fault(QPACK_ENCODER_STREAM_ERROR,
                                    "an instruction for a table that was not allowed");
        if (encoder)
            continue;
        if (*state) { // the number goes on while the first bit is set
            *state += 1;
            if (*state > 10)
                return connection_fault(QPACK_DECODER_STREAM_ERROR, "a number without end");
            if (!(bytes[i] & 0x80))
                *state = 0;
            continue;
        }
        if ((bytes[i] & 0xc0) != 0x40)
            return connection_fault(QPACK_DECODER_STREAM_ERROR,
                                    "an acknowledgement of what was never sent");
        *state = (bytes[i] & 0x3f) == 0x3f;
    }
    return (struct fault){0};
}
