// protobuf.c: see protobuf.h.
#include "protobuf.h"

#include <string.h>

// ---- reading -------------------------------------------------------------------------------

struct protobuf_reader protobuf_reader(const uint8_t *bytes, size_t length)
{
    return (struct protobuf_reader){bytes, bytes + length, NULL};
}

static bool fail(struct protobuf_reader *reader, const char *wrong)
{
    reader->wrong = wrong;
    return false;
}

// Seven bits a byte, the lowest first; the highest bit of a byte says that one more follows.
static bool read_varint(struct protobuf_reader *reader, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < PROTOBUF_VARINT_BYTES; i++) {
        if (reader->at == reader->end)
            return fail(reader, "a number that is cut short");
        uint8_t byte = *reader->at++;
        if (i == PROTOBUF_VARINT_BYTES - 1 && byte > 1)
            break;
        *value |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80)
            return true;
    }
    return fail(reader, "a number of more than 64 bits");
}

// A number of `bytes` bytes, the lowest byte first.
static bool read_fixed(struct protobuf_reader *reader, int bytes, uint64_t *value)
{
    *value = 0;
    if (reader->end - reader->at < bytes)
        return fail(reader, "a number that is cut short");
    for (int i = 0; i < bytes; i++)
        *value |= (uint64_t)*reader->at++ << 8 * i;
    return true;
}

static bool read_tag(struct protobuf_reader *reader, struct protobuf_field *field)
{
    uint64_t tag;
    if (!read_varint(reader, &tag))
        return false;
    field->number = (uint32_t)(tag >> 3);
    field->type = (enum protobuf_type)(tag & 7);
    if (tag > UINT32_MAX || field->number == 0)
        return fail(reader, "a field number that cannot be");
    return true;
}

static bool read_value(struct protobuf_reader *reader, struct protobuf_field *field)
{
    switch (field->type) {
    case PROTOBUF_VARINT:
        return read_varint(reader, &field->value);
    case PROTOBUF_FIXED64:
        return read_fixed(reader, 8, &field->value);
    case PROTOBUF_FIXED32:
        return read_fixed(reader, 4, &field->value);
    case PROTOBUF_DELIMITED:
        if (!read_varint(reader, &field->value))
            return false;
        if (field->value > (uint64_t)(reader->end - reader->at))
            return fail(reader, "a field that is cut short");
        field->bytes = reader->at;
        field->length = (size_t)field->value;
        reader->at += field->length;
        return true;
    case PROTOBUF_GROUP:
    case PROTOBUF_GROUP_END:
        return true;
    default:
        return fail(reader, "a field of no type");
    }
}

// Skips a group up to its end: the fields in it, and the groups in those.
static bool skip_group(struct protobuf_reader *reader, uint32_t number)
{
    uint32_t open[PROTOBUF_DEPTH_MAX];
    int depth = 0;
    struct protobuf_field field;
    open[depth++] = number;
    while (depth > 0) {
        if (!read_tag(reader, &field) || !read_value(reader, &field))
            return false;
        if (field.type == PROTOBUF_GROUP && depth == PROTOBUF_DEPTH_MAX)
            return fail(reader, "groups that are nested too deeply");
        if (field.type == PROTOBUF_GROUP)
            open[depth++] = field.number;
        else if (field.type == PROTOBUF_GROUP_END && field.number != open[--depth])
            return fail(reader, "a group that ends as another one");
    }
    return true;
}

bool protobuf_next(struct protobuf_reader *reader, struct protobuf_field *field)
{
    while (!reader->wrong && reader->at < reader->end) {
        *field = (struct protobuf_field){0};
        if (!read_tag(reader, field) || !read_value(reader, field))
            return false;
        if (field->type == PROTOBUF_GROUP_END)
            return fail(reader, "the end of a group that did not begin");
        if (field->type != PROTOBUF_GROUP)
            return true;
        if (!skip_group(reader, field->number))
            return false;
    }
    return false;
}

bool protobuf_is(const struct protobuf_field *field, uint32_t number, enum protobuf_type type)
{
    return field->number == number && field->type == type;
}

struct protobuf_field protobuf_find(const struct protobuf_field *message, uint32_t number,
                                    enum protobuf_type type)
{
    struct protobuf_reader reader = protobuf_reader(message->bytes, message->length);
    struct protobuf_field field, found = {.bytes = (const uint8_t *)""};
    while (protobuf_next(&reader, &field))
        if (protobuf_is(&field, number, type))
            found = field;
    return found;
}

// How many bytes this character takes; 0: the bytes are no UTF-8 (RFC 3629 §4).
static size_t utf8_length(const uint8_t *bytes, size_t length)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t count = 1;
    uint32_t character = bytes[0];
    if (character < 0x80)
        return 1;
    while (count < 5 && (character & (0x80u >> count)))
        count++;
    if (count < 2 || count > 4 || count > length)
        return 0;
    character &= 0x7fu >> count;
    for (size_t i = 1; i < count; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (bytes[i] & 0x3fu);
    }
    bool surrogate = character >= 0xd800 && character <= 0xdfff;
    if (character < least[count] || character > 0x10ffff || surrogate)
        return 0;
    return count;
}

bool protobuf_is_utf8(const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        size_t used = utf8_length(bytes, length);
        if (used == 0)
            return false;
        bytes += used;
        length -= used;
    }
    return true;
}

// ---- writing -------------------------------------------------------------------------------

static void put(struct protobuf_writer *writer, const void *bytes, size_t length)
{
    if (length > writer->room - writer->length)
        writer->no_room = true;
    if (writer->no_room || length == 0)
        return;
    memcpy(writer->out + writer->length, bytes, length);
    writer->length += length;
}

static void put_varint(struct protobuf_writer *writer, uint64_t value)
{
    uint8_t bytes[PROTOBUF_VARINT_BYTES];
    size_t length = 0;
    while (value >= 0x80) {
        bytes[length++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[length++] = (uint8_t)value;
    put(writer, bytes, length);
}

static void put_tag(struct protobuf_writer *writer, uint32_t number, enum protobuf_type type)
{
    put_varint(writer, (uint64_t)number << 3 | type);
}

void protobuf_put_int(struct protobuf_writer *writer, uint32_t number, int64_t value)
{
    if (value == 0)
        return;
    put_tag(writer, number, PROTOBUF_VARINT);
    put_varint(writer, (uint64_t)value); // a number below zero takes ten bytes
}

void protobuf_put_fixed(struct protobuf_writer *writer, uint32_t number,
                        enum protobuf_type type, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    if (value == 0)
        return;
    put_tag(writer, number, type);
    put(writer, bytes, type == PROTOBUF_FIXED32 ? 4 : 8);
}

void protobuf_put_bytes(struct protobuf_writer *writer, uint32_t number, const void *bytes,
                        size_t length)
{
    if (length == 0)
        return;
    put_tag(writer, number, PROTOBUF_DELIMITED);
    put_varint(writer, length);
    put(writer, bytes, length);
}

// The length of the message in the message is not known yet. One byte is kept for it; end()
// moves the message on where the length takes more.
size_t protobuf_begin(struct protobuf_writer *writer, uint32_t number)
{
    put_tag(writer, number, PROTOBUF_DELIMITED);
    put(writer, "", 1);
    return writer->length;
}

void protobuf_end(struct protobuf_writer *writer, size_t begun)
{
    size_t length = writer->length - begun;
    uint8_t bytes[PROTOBUF_VARINT_BYTES];
    struct protobuf_writer prefix = {bytes, 0, sizeof bytes, false};
    put_varint(&prefix, length);
    size_t more = prefix.length - 1;
    if (writer->no_room || more > writer->room - writer->length) {
        writer->no_room = true;
        return;
    }
    memmove(writer->out + begun + more, writer->out + begun, length);
    memcpy(writer->out + begun - 1, bytes, prefix.length);
    writer->length += more;
}
