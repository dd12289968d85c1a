// charge_request.h: what a POST to one of the charges' paths asks for. Each function that
// finds something wrong answers the request itself.
#ifndef CHARGE_REQUEST_H
#define CHARGE_REQUEST_H

#include "connection.h"

// Whether the server takes one more charge now. False: the request is answered, with 503.
bool charge_is_welcome(struct connection *c);

// Reads Idempotency-Key into `key` (KEY_MAX + 1 bytes). Returns its length; 0 if the key is
// missing or wrong: then the request is answered, with 400.
size_t charge_key(struct connection *c, const struct request *request, char *key);

// Makes a record of the charge that the content asks for, with this key (length 0: without
// one). NULL: the content is wrong, or there is no memory, and the request is answered.
struct record *charge_read(struct connection *c, struct http_text content,
                           struct http_text key);

#endif
