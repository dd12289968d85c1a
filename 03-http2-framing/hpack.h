// hpack.h: header compression (RFC 7541): a field that was sent before is sent as a number.
//
// The number is an index into two tables: 1 to 61 is the static table, which every program
// knows (index 2 is ":method: GET"), and from 62 on comes the dynamic table, to which both
// sides add the fields of this connection, the newest first. What is in neither table is sent
// as text, a "literal". The first bits of a field say which it is (§6):
//
//     1.......   name and value by index
//     01......   a literal, and both sides add it to the dynamic table
//     0000....   a literal that is not added
//     0001....   a literal that is a secret: nobody on its way may add it to a table
//     001.....   no field, but a new size of the dynamic table
//
// In a literal the name is an index, or 0 and then text; the value is text.
//
// Each direction of a connection has its own encoder at one end and decoder at the other, whose
// dynamic tables are always the same, because all header blocks pass through both in one order.
#ifndef HPACK_H
#define HPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hpack_table.h"

#define HPACK_LIST_MAX   16384 // of one header list, counted like a table (§4.1)
#define HPACK_FIELDS_MAX (HPACK_LIST_MAX / HPACK_FIELD_OVERHEAD)

struct hpack_decoder {
    struct hpack_table table;
    uint32_t limit;  // what this side's SETTINGS_HEADER_TABLE_SIZE allows
    bool update_due; // the limit went below the table's size: the next block must lower it
};

struct hpack_encoder {
    struct hpack_table table;
    uint32_t lowest; // the smallest size of the table since the last block was sent
    bool update_due; // the table's size has changed: the next block tells the peer
    bool no_huffman; // strings are sent as they are: a test can read them
};

// A decoded header list. It is large, so all connections share one: no list is kept.
struct hpack_list {
    struct hpack_field fields[HPACK_FIELDS_MAX + 1]; // one more, for a field that is too much
    size_t count;
    uint32_t size; // by §4.1
    bool too_long; // over HPACK_LIST_MAX: fields are missing, but the dynamic table is right
    uint32_t used; // of bytes[]: behind a list there is always room for one more field
    char bytes[3 * HPACK_LIST_MAX];
};

// The first call also prepares the static table and Huffman's code, which all connections
// share.
void hpack_decoder_begin(struct hpack_decoder *decoder);
void hpack_encoder_begin(struct hpack_encoder *encoder);

// This side's SETTINGS_HEADER_TABLE_SIZE counts from now on: the peer has acknowledged it.
void hpack_decoder_limit(struct hpack_decoder *decoder, uint32_t limit);

// The peer's SETTINGS_HEADER_TABLE_SIZE: the encoder's table will be no larger than that, and
// no larger than HPACK_TABLE_MAX.
void hpack_encoder_limit(struct hpack_encoder *encoder, uint32_t limit);

// Decodes a whole header block into `list`, which stays valid until the next call with it.
// False: the block is no HPACK, which is a connection error of type COMPRESSION_ERROR; or there
// is no memory for the dynamic table.
bool hpack_decode(struct hpack_decoder *decoder, const uint8_t *block, size_t length,
                  struct hpack_list *list);

// Encodes a header block to `out`, which has hpack_bound() bytes; returns the byte after it.
uint8_t *hpack_encode(struct hpack_encoder *encoder, uint8_t *out,
                      const struct hpack_field *fields, size_t count);
size_t hpack_bound(const struct hpack_field *fields, size_t count);

// Integers (§5.1): `prefix` bits of the first byte, then seven bits a byte. hpack_put_integer()
// leaves the other bits of the first byte as `first` has them. hpack_read_integer() moves *at
// on; false if the number does not end before `end`, or takes more than HPACK_INTEGER_BYTES.
#define HPACK_INTEGER_BYTES 5
uint8_t *hpack_put_integer(uint8_t *out, uint8_t first, int prefix, uint32_t value);
bool hpack_read_integer(const uint8_t **at, const uint8_t *end, int prefix, uint32_t *value);

#endif
