// forgeries.h: tokens of an attacker, who wants to be bob, the admin. The first one is none: it
// is as the server signs it.
#ifndef FORGERIES_H
#define FORGERIES_H

#include "keys.h"

struct forgery {
    const char *name;
    bool naive_takes;
    const char *why; // part of what the server says; NULL: it takes the token
};

// The server's keys are read from their file, for tokens that it has signed in truth; the
// attacker's keys are in another one. `public_set` is the answer to /.well-known/jwks.json.
void forgeries_begin(const char *ours_path, const char *his_path, const char *public_set);
void forgeries_end(void);

// Makes the next token, which is valid until the next call. NULL: there are no more.
const struct forgery *forgery_make(int i, const char **token);

// The server's keys.
const struct keys *forgeries_keys(void);

#endif
