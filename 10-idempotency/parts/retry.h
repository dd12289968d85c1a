// retry.h: may a call be made again, and when? Only decisions, no clock and no sleep: the
// caller brings the time and a random number, so that a test knows every result.
#ifndef RETRY_H
#define RETRY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "call.h"

#define RETRY_GIVE_UP (-1)
#define RETRY_UNASKED (-1) // the server has not said when to come back

struct retry_policy {
    int attempts_max;    // calls, the first one among them
    int64_t base_ms;     // the back-off before the second call; 0: none
    int64_t cap_ms;      // it doubles for every further call, up to this
    int64_t deadline_ms; // for all calls and back-offs together
    bool jitter;         // full jitter: anything from 0 to the back-off
};

// True if making the call again can do no harm, and might help. `repeatable`: the method is
// idempotent (RFC 9110 §9.2.2), or the request carries an Idempotency-Key.
bool retry_may(enum call_outcome outcome, int status, bool repeatable);

// Is a request with this method and this key (NULL: none) repeatable?
bool retry_is_repeatable(const char *method, const char *key);

// The back-off after `attempts` calls (at least 1), without jitter.
int64_t retry_backoff_ms(const struct retry_policy *policy, int attempts);

// How long to wait after `attempts` calls that have taken elapsed_ms in all: the back-off, with
// jitter; and if the server has asked for asked_ms (else RETRY_UNASKED), that long first: never
// earlier, and with jitter on top, since all clients were asked the same. RETRY_GIVE_UP: all
// attempts are used, or the next one would come after the deadline. `random` is any number.
int64_t retry_wait_ms(const struct retry_policy *policy, int attempts, int64_t elapsed_ms,
                      int64_t asked_ms, uint64_t random);

// Milliseconds that the value of a Retry-After field asks for, seconds or a date in any of its
// three forms (RFC 9110 §10.2.3, §5.6.7); 0 if it has passed; RETRY_UNASKED if it is neither.
// `now` is the time on the wall.
int64_t retry_after_ms(const char *value, time_t now);

#endif
