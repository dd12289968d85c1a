// key.h: what a client calls its operation: the field Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header §2.1).
#ifndef KEY_H
#define KEY_H

#include "http.h"

#define KEY_MAX 255 // characters of a key

// Reads the key of a request into `key`, which has room for KEY_MAX + 1 bytes. The draft says
// that it is a string in quotation marks (RFC 9651 §3.3.3). The same key is accepted without
// the marks, as payment services take it. Returns the key's length, 0 if there is none, -1 if
// it is something else, or there are two.
int key_read(const struct http_head *head, char *key);

// The same of a field's value alone; 0: it is empty.
int key_parse(struct http_text value, char *key);

#endif
