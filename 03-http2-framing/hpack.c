// hpack.c: see hpack.h, for the forms of a field too. Start with encode_field() and
// decode_field(); the tables are in parts/hpack_table.c.
#include "hpack.h"

#include <string.h>

#include "huffman.h"

#define UPDATE_MAX (2 * (1 + HPACK_INTEGER_BYTES)) // bytes of the updates before a block

// ---- integers (§5.1) -----------------------------------------------------------------------

uint8_t *hpack_put_integer(uint8_t *out, uint8_t first, int prefix, uint32_t value)
{
    uint32_t most = (1u << prefix) - 1;
    if (value < most) {
        *out++ = (uint8_t)(first | value);
        return out;
    }
    *out++ = (uint8_t)(first | most);
    for (value -= most; value >= 128; value >>= 7)
        *out++ = (uint8_t)(value | 128);
    *out++ = (uint8_t)value;
    return out;
}

bool hpack_read_integer(const uint8_t **at, const uint8_t *end, int prefix, uint32_t *value)
{
    const uint8_t *byte = *at;
    if (byte == end)
        return false;
    uint32_t most = (1u << prefix) - 1;
    *value = *byte++ & most;
    if (*value == most) {
        int shift = 0;
        do {
            if (byte == end || shift == 7 * (HPACK_INTEGER_BYTES - 1))
                return false;
            *value += (uint32_t)(*byte & 127) << shift;
            shift += 7;
        } while (*byte++ & 128);
    }
    *at = byte;
    return true;
}

// ---- decoding ------------------------------------------------------------------------------

void hpack_decoder_begin(struct hpack_decoder *decoder)
{
    hpack_table_begin();
    huffman_begin();
    *decoder = (struct hpack_decoder){.table.max = HPACK_TABLE_MAX, .limit = HPACK_TABLE_MAX};
}

void hpack_decoder_limit(struct hpack_decoder *decoder, uint32_t limit)
{
    decoder->limit = HPACK_TABLE_MAX;
    if (limit < HPACK_TABLE_MAX)
        decoder->limit = limit;
    decoder->update_due = decoder->table.max > decoder->limit; // §4.2
}

// Reads a string (§5.2) behind what is in the list's bytes. A string that is longer
// than a whole list may be has a length, but its text is not kept.
static bool read_string(const uint8_t **at, const uint8_t *end, struct hpack_list *list,
                        const char **text, uint32_t *length)
{
    bool huffman = *at < end && (**at & 0x80);
    if (!hpack_read_integer(at, end, 7, length) || *length > (size_t)(end - *at))
        return false;
    const uint8_t *bytes = *at;
    *at += *length;
    *text = list->bytes + list->used;
    if (huffman) {
        ssize_t decoded =
            huffman_decode(bytes, *length, list->bytes + list->used, HPACK_LIST_MAX);
        if (decoded == HUFFMAN_BAD)
            return false;
        *length = (uint32_t)decoded;
        if (decoded < 0)
            *length = HPACK_LIST_MAX + 1; // too long, by how much does not matter
    } else if (*length <= HPACK_LIST_MAX) {
        memcpy(list->bytes + list->used, bytes, *length);
    }
    if (*length <= HPACK_LIST_MAX)
        list->used += *length;
    return true;
}

// Copies a name or value out of a table, which may change before the list is used.
static const char *copy_text(struct hpack_list *list, const char *text, uint32_t length)
{
    char *copy = list->bytes + list->used;
    memcpy(copy, text, length);
    list->used += length;
    return copy;
}

// A literal (§6.2): its name by index or as a string, and its value. False: bad, or no memory.
static bool decode_literal(struct hpack_decoder *decoder, const uint8_t **at,
                           const uint8_t *end, struct hpack_list *list,
                           struct hpack_field *field)
{
    bool add = **at & 0x40; // 01: with incremental indexing; 0000: without; 0001: never
    uint8_t indexing = HPACK_NOT_INDEXED;
    uint32_t index;
    if (add)
        indexing = HPACK_INDEXED;
    else if (**at & 0x10)
        indexing = HPACK_NEVER;
    if (!hpack_read_integer(at, end, add ? 6 : 4, &index))
        return false;
    if (index == 0) {
        if (!read_string(at, end, list, &field->name, &field->name_length))
            return false;
        field->static_name = 0;
        if (field->name_length <= HPACK_LIST_MAX)
            field->static_name = hpack_static_name(field->name, field->name_length);
    } else {
        if (!hpack_table_get(&decoder->table, index, field))
            return false;
        if (add || !list->too_long)
            field->name = copy_text(list, field->name, field->name_length);
    }
    field->indexing = indexing;
    return read_string(at, end, list, &field->value, &field->value_length) &&
           (!add || hpack_table_add(&decoder->table, field));
}

static bool decode_field(struct hpack_decoder *decoder, const uint8_t **at, const uint8_t *end,
                         struct hpack_list *list)
{
    struct hpack_field *field = &list->fields[list->count];
    uint32_t index;
    if (**at & 0x80) { // §6.1: name and value by index
        if (!hpack_read_integer(at, end, 7, &index) ||
            !hpack_table_get(&decoder->table, index, field))
            return false;
        if (index > HPACK_STATIC_ENTRIES && !list->too_long) {
            field->name =
                copy_text(list, field->name, field->name_length + field->value_length);
            field->value = field->name + field->name_length;
        }
    } else if (!decode_literal(decoder, at, end, list, field)) {
        return false;
    }
    uint32_t size = hpack_field_size(field);
    if (list->too_long || size > HPACK_LIST_MAX - list->size) {
        list->too_long = true; // what is left of the block is only for the dynamic table
        list->count = list->used = 0;
    } else {
        list->count++;
        list->size += size;
    }
    return true;
}

// Size updates (§6.3): only at the start of a block, at most two, and none above the limit.
static bool decode_updates(struct hpack_decoder *decoder, const uint8_t **at,
                           const uint8_t *end)
{
    uint32_t max;
    for (int updates = 0; *at < end && (**at & 0xe0) == 0x20; updates++) {
        if (updates == 2 || !hpack_read_integer(at, end, 5, &max) || max > decoder->limit)
            return false;
        hpack_table_resize(&decoder->table, max);
        decoder->update_due = false;
    }
    return !decoder->update_due;
}

bool hpack_decode(struct hpack_decoder *decoder, const uint8_t *block, size_t length,
                  struct hpack_list *list)
{
    const uint8_t *end = block + length;
    list->count = list->size = list->used = 0;
    list->too_long = false;
    if (!decode_updates(decoder, &block, end))
        return false;
    while (block < end) {
        if ((*block & 0xe0) == 0x20 || !decode_field(decoder, &block, end, list))
            return false;
    }
    return true;
}

// ---- encoding ------------------------------------------------------------------------------

void hpack_encoder_begin(struct hpack_encoder *encoder)
{
    hpack_table_begin();
    huffman_begin();
    *encoder = (struct hpack_encoder){.table.max = HPACK_TABLE_MAX, .lowest = HPACK_TABLE_MAX};
}

void hpack_encoder_limit(struct hpack_encoder *encoder, uint32_t limit)
{
    uint32_t max = HPACK_TABLE_MAX;
    if (limit < max)
        max = limit;
    if (max == encoder->table.max)
        return;
    hpack_table_resize(&encoder->table, max);
    if (max < encoder->lowest)
        encoder->lowest = max;
    encoder->update_due = true;
}

// The shorter of the two forms (§5.2); where they are equal, the one of the RFC's examples.
static uint8_t *put_string(const struct hpack_encoder *encoder, uint8_t *out, const char *text,
                           uint32_t length)
{
    size_t size = huffman_size(text, length);
    if (!encoder->no_huffman && length > 0 && size <= length)
        return huffman_encode(hpack_put_integer(out, 0x80, 7, (uint32_t)size), text, length);
    out = hpack_put_integer(out, 0, 7, length);
    memcpy(out, text, length);
    return out + length;
}

static uint8_t *encode_field(struct hpack_encoder *encoder, uint8_t *out,
                             const struct hpack_field *field)
{
    bool value_too; // a table has the value too, not only the name
    uint32_t index = hpack_table_find(&encoder->table, field, &value_too);
    if (value_too && field->indexing != HPACK_NEVER)
        return hpack_put_integer(out, 0x80, 7, index); // §6.1: name and value by index
    // A field that takes more than half of the table would push out too many others.
    bool add = field->indexing == HPACK_INDEXED &&
               hpack_field_size(field) <= encoder->table.max / 2 &&
               hpack_table_add(&encoder->table, field);
    if (add)
        out = hpack_put_integer(out, 0x40, 6, index); // §6.2.1: the peer adds it as well
    else if (field->indexing == HPACK_NEVER)
        out = hpack_put_integer(out, 0x10, 4, index); // §6.2.3: never indexed
    else
        out = hpack_put_integer(out, 0, 4, index); // §6.2.2: without indexing
    if (index == 0)
        out = put_string(encoder, out, field->name, field->name_length); // a new name
    return put_string(encoder, out, field->value, field->value_length);
}

uint8_t *hpack_encode(struct hpack_encoder *encoder, uint8_t *out,
                      const struct hpack_field *fields, size_t count)
{
    if (encoder->update_due) { // §4.2: the smallest size that there was, then the one now
        if (encoder->lowest < encoder->table.max)
            out = hpack_put_integer(out, 0x20, 5, encoder->lowest);
        out = hpack_put_integer(out, 0x20, 5, encoder->table.max);
        encoder->lowest = encoder->table.max;
        encoder->update_due = false;
    }
    for (size_t i = 0; i < count; i++)
        out = encode_field(encoder, out, &fields[i]);
    return out;
}

size_t hpack_bound(const struct hpack_field *fields, size_t count)
{
    size_t bound = UPDATE_MAX;
    for (size_t i = 0; i < count; i++)
        bound += 1 + 3 * HPACK_INTEGER_BYTES + fields[i].name_length + fields[i].value_length;
    return bound;
}
