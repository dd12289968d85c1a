// qpack.h: the compression of header fields in HTTP/3 (RFC 9204), with the static table only.
//
// HPACK's dynamic table (lesson 03) works because all header blocks of a connection arrive in
// one order. QUIC's streams arrive in any order, so with a dynamic table a block may need an
// entry that is still on its way, and has to wait for it: QPACK adds two streams, counters and
// a limit on waiting streams for that. This program announces a table of 0 bytes (which is what
// SETTINGS say if they say nothing), so no block ever waits. A field takes one of three forms:
//
//     11......   name and value by index into the static table of 99 fields
//     01.1....   the name by index, the value as text
//     001.....   both as text
//
// Numbers are those of HPACK: `prefix` bits of the first byte, then 7 bits a byte.
#ifndef QPACK_H
#define QPACK_H

#include "http.h"
#include "http3.h"

#define QPACK_FIELD_OVERHEAD 32 // that a field counts more than its texts (RFC 9114 §4.2.2)
#define QPACK_FIELDS_MAX     (SECTION_MAX / QPACK_FIELD_OVERHEAD)
#define QPACK_STATIC         99

extern const struct qpack_entry {
    const char *name, *value;
} qpack_table[QPACK_STATIC];

// A decoded field section. It is large: one is enough, because no list is kept.
struct qpack_list {
    struct http_field fields[QPACK_FIELDS_MAX + 1];
    size_t count;
    size_t size;   // as the limit counts it
    bool too_long; // over SECTION_MAX: fields are missing
    size_t used;   // of bytes
    char bytes[2 * SECTION_MAX];
};

// Decodes a whole field section. False: this is no QPACK, or it needs a dynamic table, which is
// a connection error of type QPACK_DECOMPRESSION_FAILED.
bool qpack_decode(const uint8_t *section, size_t length, struct qpack_list *list);

// Encodes fields to `out`, which has `size` bytes. Returns the length; 0: there is no room.
size_t qpack_encode(uint8_t *out, size_t size, const struct http_field *fields, size_t count);

// Checks the bytes of the peer's encoder or decoder stream, which are instructions for a
// dynamic table: with a table of 0 only those that change nothing are allowed (§4.3, §4.4).
// *state is 0 at first and keeps what is half read.
struct fault qpack_instructions(bool encoder, uint64_t *state, const uint8_t *bytes,
                                size_t length);

#endif
