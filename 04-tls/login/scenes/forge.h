// forge.h: makes tokens as an attacker does, or as another program would: from any header, any
// payload and any key.
#ifndef FORGE_H
#define FORGE_H

#include "jwt.h"

// Signs with the key; NULL: the third part is empty.
void forge(const char *header, const char *payload, const struct key *key,
           char token[JWT_BYTES]);

// A secret of HS256 made of any bytes, such as the text of a public key.
struct key forge_secret(const void *bytes, size_t length);

#endif
