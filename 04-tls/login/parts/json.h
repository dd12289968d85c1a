// json.h: reads JSON (RFC 8259): a log-in, a token's header and payload, a set of keys. It
// copies nothing and allocates nothing: a value is a place in the text.
//
// It is strict where two readers could understand different things: an object that has the same
// name twice is refused (RFC 7519 §4 allows that), as is text that is not UTF-8.
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"

#define JSON_DEPTH   6  // objects and arrays inside each other
#define JSON_MEMBERS 32 // of an object
#define JSON_NAME    64 // bytes of a name that can be asked for, with its '\0'

enum json_type { JSON_STRING, JSON_NUMBER, JSON_OBJECT, JSON_ARRAY, JSON_WORD };

struct json {
    enum json_type type;
    struct http_text text; // from its first to its last character
};

// Reads a whole text, which has to be one value and nothing else. False: it is not JSON.
bool json_read(struct http_text text, struct json *value);

// The member of an object that has this name. False: there is none, or it is no object.
bool json_member(const struct json *object, const char *name, struct json *value);

// Walks through the elements of an array: `*at` is 0 at first. False: there are no more.
bool json_next(const struct json *array, size_t *at, struct json *value);

// Copies a string, its escapes undone, with a '\0' behind it. False: it is no string, does not
// fit, or has a '\0' in it.
bool json_string(const struct json *value, char *to, size_t size);

// A member that is a string; a member that is a number. The fraction of a number is cut off,
// and one with an exponent is refused. False: there is none, or it is not what it should be.
bool json_member_string(const struct json *object, const char *name, char *to, size_t size);
bool json_member_integer(const struct json *object, const char *name, int64_t *number);

#endif
