// naive.h: how tokens must NOT be checked.
#ifndef NAIVE_H
#define NAIVE_H

#include "jwt.h"

// WRONG, for scene attacks: it does what the token says, and does not look at the claims.
// `public_text` is the server's public key, as everybody can read it. True: it takes the token.
bool naive_verify(struct http_text token, const struct keys *keys, const char *public_text);

#endif
