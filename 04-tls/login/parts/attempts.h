// attempts.h: how often somebody may try a password: at most ATTEMPTS_MAX times in
// ATTEMPTS_WINDOW_S for one user name from one address. A guesser is stopped; the user, who is
// at another address, is not locked out.
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include <stdint.h>

#define ATTEMPTS_MAX      5
#define ATTEMPTS_WINDOW_S 60
#define ATTEMPTS_PLACES   4096 // of the table

// An attempt begins: it counts before it is known how it ends, so that a thousand attempts at
// the same time are not more than one after the other. Returns 0; or, if there were too many,
// after how many seconds the next one may come.
int attempt_begin(const char *user, const char *address, int64_t now_s);

// It was the right password: those before are forgotten.
void attempt_succeeded(const char *user, const char *address);

#endif
