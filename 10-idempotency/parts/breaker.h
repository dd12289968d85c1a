// breaker.h: a circuit breaker: a service that fails all the time is not called for a while.
//
//     closed     calls pass, and are counted; too many failures in the window: open
//     open       calls are refused at once by the breaker; the server is not asked
//     half-open  after open_ms one call at a time is let through, a probe: when `probes` probes
//                in a row have gone well, closed again; when one fails, open again
//
// The time is brought by the caller, in milliseconds of any clock that does not go back. A
// breaker belongs to one thread, or to a lock of the caller's.
#ifndef BREAKER_H
#define BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_SLOTS 10 // parts of the window, of which the oldest is forgotten at a time

struct breaker_policy {
    int64_t window_ms;  // over which failures are counted, at least BREAKER_SLOTS
    int calls_min;      // fewer calls in it say nothing
    int failed_percent; // of them that open it
    int64_t open_ms;    // until the first probe, and how long a probe may be under way
    int probes;         // that have to go well, one after the other
};

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker {
    struct breaker_policy policy;
    enum breaker_state state;
    int64_t since_ms;   // of this state
    uint32_t period;    // counts the changes of state: the ticket of a call
    bool probing;       // a probe is under way,
    int64_t probing_ms; // since then
    int probes_good;
    struct {
        int64_t slot; // which part of time this is
        int calls, failed;
    } slots[BREAKER_SLOTS];
};

#define BREAKER_REFUSED 0

void breaker_begin(struct breaker *breaker, const struct breaker_policy *policy,
                   int64_t now_ms);

// May a call be made? Returns a ticket for breaker_tell(), or BREAKER_REFUSED.
uint32_t breaker_ask(struct breaker *breaker, int64_t now_ms);

// Tells what became of the call with this ticket. What began before the last change of state
// says nothing about this one, and is ignored.
void breaker_tell(struct breaker *breaker, uint32_t ticket, bool good, int64_t now_ms);

const char *breaker_state_name(enum breaker_state state);

#endif
