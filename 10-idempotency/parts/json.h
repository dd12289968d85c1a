// json.h: JSON (RFC 8259), read strictly and within limits, and written.
//
// Reading takes a whole document and makes a flat list of its values. It refuses what the RFC
// leaves open and what could be understood in two ways: names that come twice, lone surrogates,
// bytes that are not UTF-8, anything behind the value.
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"

#define JSON_BYTES  16384 // of a document
#define JSON_VALUES 256   // in it
#define JSON_DEPTH  16    // arrays and objects inside one another

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_value {
    enum json_type type;
    int parent;            // its array's or object's place in the list; -1: the document itself
    struct http_text name; // in an object
    struct http_text text; // of a string, decoded; of a number, as it stands there
};

struct json {
    int count;
    struct json_value values[JSON_VALUES]; // the document's own comes first
    size_t error_at;                       // where it is wrong
    const char *error;                     // why; NULL: it is not
    size_t decoded;                        // bytes of:
    char bytes[JSON_BYTES];                // strings that were not as they stand there
};

// Reads a document. Its texts point into `bytes` or into `json`. False: see error.
bool json_read(struct json *json, const char *bytes, size_t length);

// The member of this name of an object: of the document itself, or of the value with this
// index. NULL: there is none.
const struct json_value *json_member(const struct json *json, const char *name);
const struct json_value *json_member_of(const struct json *json, int object, const char *name);

// The number as an integer from min to max. False if it is something else: 1.0, 1e2, "1".
bool json_integer(const struct json_value *value, int64_t min, int64_t max, int64_t *number);

// Writes a string with its quotation marks.
void json_put(struct http_out *out, struct http_text text);

// Whether these bytes are UTF-8 (RFC 3629): nothing overlong, no surrogates, up to U+10FFFF.
bool json_is_utf8(const char *bytes, size_t length);

#endif
