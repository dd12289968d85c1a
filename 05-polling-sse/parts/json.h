// json.h: reading JSON (RFC 8259), as much of it as this lesson needs: the members of an
// object, numbers and strings. A text that is not JSON is refused; nothing is guessed.
#ifndef JSON_H
#define JSON_H

#include "buffer.h"
#include "http.h"

#define JSON_DEPTH 16 // of objects and arrays in one another

// Finds the value of a member, as it is written. False: the text is no JSON object, or has no
// such member.
bool json_member(struct http_text object, const char *name, struct http_text *value);

// The same for a member that is a whole number that is not negative; and for one that is a
// string, which is appended to *text without its quotes and escapes.
bool json_number(struct http_text object, const char *name, uint64_t *number);
bool json_string(struct http_text object, const char *name, struct buffer *text);

#endif
