// json.h: reads JSON (RFC 8259), as far as this lesson needs it: the members of an object,
// numbers and strings. A text that is not JSON is refused.
#ifndef JSON_H
#define JSON_H

#include "buffer.h"
#include "http.h"

#define JSON_DEPTH 16 // how deep objects and arrays may stand in one another

// Finds the value of a member, as it is written. False: the text is no JSON object, or has no
// such member.
bool json_member(struct http_text object, const char *name, struct http_text *value);

// json_number() finds a member that is a whole number, not below 0. json_string() finds a
// member that is a string, and appends it to *text without its quotes and escapes. False as
// above.
bool json_number(struct http_text object, const char *name, uint64_t *number);
bool json_string(struct http_text object, const char *name, struct buffer *text);

#endif
