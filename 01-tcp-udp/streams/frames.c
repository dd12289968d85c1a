// frames.c: see frames.h. Every read looks first how many bytes are left.
#include "frames.h"

#include <string.h>

#include "smaller.h"

#define DELAY_EXPONENT 3 // the delay of an ACK is counted in 8 us (RFC 9000 §18.2)

// ---- numbers of 1, 2, 4 or 8 bytes (RFC 9000 §16) ------------------------------------------

struct reader {
    const uint8_t *at, *end;
    bool failed;
};

static uint64_t get_varint(struct reader *r)
{
    if (r->at == r->end) {
        r->failed = true;
        return 0;
    }
    size_t length = (size_t)1 << (*r->at >> 6);
    if ((size_t)(r->end - r->at) < length) {
        r->failed = true;
        return 0;
    }
    uint64_t value = *r->at & 0x3f;
    for (size_t i = 1; i < length; i++)
        value = value << 8 | r->at[i];
    r->at += length;
    return value;
}

static const uint8_t *get_bytes(struct reader *r, uint64_t length)
{
    const uint8_t *bytes = r->at;
    if (r->failed || (uint64_t)(r->end - r->at) < length) {
        r->failed = true;
        return NULL;
    }
    r->at += length;
    return bytes;
}

static size_t varint_length(uint64_t value)
{
    if (value < 1 << 6)
        return 1;
    if (value < 1 << 14)
        return 2;
    if (value < 1 << 30)
        return 4;
    return 8;
}

// `at` is where the next byte goes; what finds no room is left out, and `failed` says so.
struct writer {
    uint8_t *at, *end;
    bool failed;
};

static void put_varint(struct writer *w, uint64_t value)
{
    static const uint8_t mark[] = {[1] = 0x00, [2] = 0x40, [4] = 0x80, [8] = 0xc0};
    size_t length = varint_length(value);
    if (w->failed || (size_t)(w->end - w->at) < length) {
        w->failed = true;
        return;
    }
    for (size_t i = length; i-- > 0; value >>= 8)
        w->at[i] = (uint8_t)value;
    *w->at |= mark[length];
    w->at += length;
}

static void put_bytes(struct writer *w, const uint8_t *bytes, size_t length)
{
    if (w->failed || (size_t)(w->end - w->at) < length) {
        w->failed = true;
        return;
    }
    if (length)
        memcpy(w->at, bytes, length);
    w->at += length;
}

// ---- headers -------------------------------------------------------------------------------

static const uint8_t *get_id(struct reader *r, uint8_t *length)
{
    const uint8_t *at = get_bytes(r, 1);
    if (!at)
        return NULL;
    *length = *at;
    return get_bytes(r, *length);
}

static size_t read_long_header(struct reader *r, uint8_t first, struct header *h)
{
    const uint8_t *begin = r->at - 1, *v = get_bytes(r, 4);
    h->to = get_id(r, &h->to_length);
    h->from = get_id(r, &h->from_length);
    if (r->failed)
        return 0;
    uint32_t version = (uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 | (uint32_t)v[2] << 8 | v[3];
    h->type = PACKET_OTHER_VERSION;
    if (version == 0)
        h->type = PACKET_VERSIONS;
    if (version != STREAMS_VERSION)
        return (size_t)(r->at - begin);
    if (h->to_length != ID_BYTES || h->from_length != ID_BYTES ||
        (first != 0xc0 && first != 0xf0))
        return 0;
    h->type = PACKET_RETRY;
    if (first == 0xc0)
        h->type = PACKET_FIRST;
    h->token_length = get_varint(r);
    h->token = get_bytes(r, h->token_length);
    if (h->type == PACKET_FIRST)
        h->number = get_varint(r);
    if (r->failed || h->token_length > TOKEN_MAX)
        return 0;
    return (size_t)(r->at - begin);
}

size_t header_read(const uint8_t *bytes, size_t length, struct header *header)
{
    struct reader r = {bytes, bytes + length, false};
    memset(header, 0, sizeof *header);
    const uint8_t *first = get_bytes(&r, 1);
    if (!first)
        return 0;
    if (*first & 0x80)
        return read_long_header(&r, *first, header);
    header->type = PACKET_SHORT;
    header->to_length = ID_BYTES;
    header->to = get_bytes(&r, ID_BYTES);
    header->number = get_varint(&r);
    if (r.failed || *first != 0x40)
        return 0;
    return (size_t)(r.at - bytes);
}

static void put_ids(struct writer *w, uint32_t version, const uint8_t *to, uint8_t to_length,
                    const uint8_t *from, uint8_t from_length)
{
    uint8_t v[4] = {(uint8_t)(version >> 24), (uint8_t)(version >> 16), (uint8_t)(version >> 8),
                    (uint8_t)version};
    put_bytes(w, v, 4);
    put_bytes(w, &to_length, 1);
    put_bytes(w, to, to_length);
    put_bytes(w, &from_length, 1);
    put_bytes(w, from, from_length);
}

size_t header_write(uint8_t *out, const struct header *h)
{
    struct writer w = {out + 1, out + HEADER_MAX, false};
    *out = 0x40;
    if (h->type == PACKET_SHORT) {
        put_bytes(&w, h->to, ID_BYTES);
    } else {
        *out = 0xf0;
        if (h->type == PACKET_FIRST)
            *out = 0xc0;
        put_ids(&w, STREAMS_VERSION, h->to, ID_BYTES, h->from, ID_BYTES);
        put_varint(&w, h->token_length);
        put_bytes(&w, h->token, h->token_length);
    }
    if (h->type != PACKET_RETRY)
        put_varint(&w, h->number);
    return (size_t)(w.at - out);
}

size_t versions_write(uint8_t *out, const struct header *answered)
{
    static const uint8_t ours[4] = {0x73, 0x74, 0x72, 0x31};
    struct writer w = {out + 1, out + DATAGRAM_MIN, false};
    *out = 0x80;
    put_ids(&w, 0, answered->from, answered->from_length, answered->to, answered->to_length);
    put_bytes(&w, ours, 4);
    return (size_t)(w.at - out);
}

// ---- frames --------------------------------------------------------------------------------

// Ranges come from the highest to the lowest, as distances: see RFC 9000 §19.3.1.
static void read_ack(struct reader *r, struct frame *f)
{
    uint64_t largest = get_varint(r), delay = get_varint(r), more = get_varint(r), gap = 0;
    uint64_t length = get_varint(r);
    if (delay > VARINT_MAX >> DELAY_EXPONENT)
        r->failed = true;
    f->delay_us = delay << DELAY_EXPONENT;
    for (;;) {
        if (r->failed || length > largest || f->ack_count == ACK_RANGES_MAX) {
            r->failed = true;
            return;
        }
        f->acks[f->ack_count++] = (struct range){largest - length, largest + 1};
        if (more-- == 0)
            return;
        gap = get_varint(r);
        if (r->failed || largest - length < gap + 2) {
            r->failed = true;
            return;
        }
        largest = largest - length - gap - 2;
        length = get_varint(r);
    }
}

// What stands behind the type of a frame, in this order. A letter is a number, but for these:
// 'd' are as many bytes as the length before it says, '8' are eight bytes. PADDING and ACK are
// read and written in their own ways. NULL: there is no such type.
static const char *fields_of(uint8_t type)
{
    switch (type) {
    case FRAME_PADDING:
    case FRAME_PING:
    case FRAME_ACK:
        return "";
    case FRAME_RESET_STREAM:
        return "scv"; // stream, code, value
    case FRAME_STREAM:
    case FRAME_STREAM_END:
        return "sold"; // stream, offset, length, data
    case FRAME_MAX_DATA:
        return "v";
    case FRAME_MAX_STREAM_DATA:
        return "sv";
    case FRAME_PATH_CHALLENGE:
    case FRAME_PATH_RESPONSE:
        return "8";
    case FRAME_CLOSE:
        return "cld";
    default:
        return NULL;
    }
}

// The number that a letter of fields_of() stands for.
static uint64_t *number_of(struct frame *f, char field)
{
    switch (field) {
    case 's':
        return &f->stream;
    case 'o':
        return &f->offset;
    case 'l':
        return &f->length;
    case 'c':
        return &f->code;
    default:
        return &f->value;
    }
}

ssize_t frame_read(const uint8_t *bytes, size_t length, struct frame *f)
{
    struct reader r = {bytes, bytes + length, false};
    memset(f, 0, offsetof(struct frame, acks));
    const uint8_t *type = get_bytes(&r, 1);
    if (!type)
        return -1;
    f->type = *type;
    const char *fields = fields_of(f->type);
    if (!fields)
        return -1;
    if (f->type == FRAME_ACK)
        read_ack(&r, f);
    if (f->type == FRAME_PADDING)
        for (f->length = 1; r.at < r.end && *r.at == FRAME_PADDING; r.at++)
            f->length++;
    for (; *fields; fields++) {
        if (*fields == 'd')
            f->data = get_bytes(&r, f->length);
        else if (*fields == '8')
            f->data = get_bytes(&r, 8);
        else
            *number_of(f, *fields) = get_varint(&r);
    }
    if (r.failed || f->offset + f->length >= VARINT_MAX)
        return -1;
    return r.at - bytes;
}

static void write_ack(struct writer *w, const struct frame *f)
{
    const struct range *a = f->acks;
    put_varint(w, a[0].to - 1);
    put_varint(w, f->delay_us >> DELAY_EXPONENT);
    put_varint(w, f->ack_count - 1);
    put_varint(w, a[0].to - a[0].from - 1);
    for (uint32_t i = 1; i < f->ack_count; i++) {
        put_varint(w, a[i - 1].from - a[i].to - 1);
        put_varint(w, a[i].to - a[i].from - 1);
    }
}

size_t frame_write(uint8_t *out, size_t room, const struct frame *f)
{
    struct writer w = {out, out + room, false};
    struct frame numbers = *f; // a copy: number_of() wants one that may be changed
    put_bytes(&w, &f->type, 1);
    if (f->type == FRAME_ACK)
        write_ack(&w, f);
    for (const char *fields = fields_of(f->type); *fields; fields++) {
        if (*fields == 'd' && f->data)
            put_bytes(&w, f->data, f->length);
        else if (*fields == '8')
            put_bytes(&w, f->data, 8);
        else if (*fields != 'd')
            put_varint(&w, *number_of(&numbers, *fields));
    }
    if (w.failed)
        return 0;
    return (size_t)(w.at - out);
}

size_t frame_stream_overhead(uint64_t stream, uint64_t offset)
{
    return 1 + varint_length(stream) + varint_length(offset) + varint_length(DATAGRAM_MAX);
}
