// rate.h: token buckets: how many requests each client may send. A bucket holds up to `burst`
// tokens, gets `rate` of them a second, and each request takes one. Each identity has a bucket
// of its own: one that asks too much takes nothing from the others.
#ifndef RATE_H
#define RATE_H

#include <stdint.h>

#define RATE_CLIENTS 64 // if there are more, the one that has been quiet longest is forgotten

// Takes a token of the client. Returns 0, or after how many seconds (rounded up) there will be
// one.
int rate_take(const char *client, int rate, int burst, int64_t now_ns);

#endif
