// protobuf.h: Protocol Buffers, the format of gRPC's messages ("Encoding" in its
// documentation).
//
// A message is a row of fields. Each begins with a tag: the field's number in the .proto file,
// and three bits that say how long the value is. The names stand in the .proto file only:
//
//     message ToDoItem { int32 id = 1; string text = 2; }
//
//     08 07              field 1, varint: 7
//     12 02 68 69        field 2, length-delimited, 2 bytes: "hi"
//
// A reader that does not know a field's number skips the field, because the tag says how long
// it is. That is why an old program can read the messages of a new one.
#ifndef PROTOBUF_H
#define PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTOBUF_VARINT_BYTES 10  // a varint is not longer: 7 bits a byte
#define PROTOBUF_DEPTH_MAX    100 // of groups in groups, which are skipped

enum protobuf_type {
    PROTOBUF_VARINT,    // int32, int64, uint32, uint64, bool, enum, sint32, sint64
    PROTOBUF_FIXED64,   // fixed64, double
    PROTOBUF_DELIMITED, // string, bytes, a message, packed numbers
    PROTOBUF_GROUP,     // deprecated: skipped
    PROTOBUF_GROUP_END,
    PROTOBUF_FIXED32, // fixed32, float
};

// ---- reading -------------------------------------------------------------------------------

struct protobuf_reader {
    const uint8_t *at, *end;
    const char *wrong; // NULL, or why the bytes are no message
};

struct protobuf_field {
    uint32_t number;
    enum protobuf_type type;
    uint64_t value;       // of VARINT, FIXED64, FIXED32
    const uint8_t *bytes; // of DELIMITED
    size_t length;
};

struct protobuf_reader protobuf_reader(const uint8_t *bytes, size_t length);

// Reads the next field. False: there is none, or `wrong` says what is wrong. Groups are
// skipped.
bool protobuf_next(struct protobuf_reader *reader, struct protobuf_field *field);

// Whether this is the field with that number and type; another type is an unknown field.
bool protobuf_is(const struct protobuf_field *field, uint32_t number, enum protobuf_type type);

// The last field with that number and type in the message that a DELIMITED field holds; if
// there is none: no bytes, and the value 0.
struct protobuf_field protobuf_find(const struct protobuf_field *message, uint32_t number,
                                    enum protobuf_type type);

// A string has to be UTF-8.
bool protobuf_is_utf8(const uint8_t *bytes, size_t length);

// ---- writing -------------------------------------------------------------------------------

struct protobuf_writer {
    uint8_t *out;
    size_t length, room;
    bool no_room; // something did not find room: what is there is no message
};

// Each writes a field. A number that is zero and an empty string are left out: a reader takes
// them for granted (proto3).
void protobuf_put_int(struct protobuf_writer *writer, uint32_t number, int64_t value);
void protobuf_put_fixed(struct protobuf_writer *writer, uint32_t number,
                        enum protobuf_type type, uint64_t value); // FIXED32, FIXED64
void protobuf_put_bytes(struct protobuf_writer *writer, uint32_t number, const void *bytes,
                        size_t length);

// A message in a message: write its fields between the two calls. It is written if it is empty,
// too. end() takes what begin() has returned.
size_t protobuf_begin(struct protobuf_writer *writer, uint32_t number);
void protobuf_end(struct protobuf_writer *writer, size_t begun);

#endif
