// breaker.h: a circuit breaker: an endpoint that has failed several times in a row is left
// alone for a while. Then one request finds out whether it is well again.
//
//     CLOSED ── FAILURES in a row ──▶ OPEN ── after open_ms ──▶ HALF_OPEN: one request
//        ◀──────────── it went well ─────────────────────────────┘ └── it failed ──▶ OPEN
#ifndef BREAKER_H
#define BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker_settings {
    int failures; // in a row; 0: the breaker never opens
    int open_ms;
};

struct breaker {
    enum breaker_state state;
    int failures;          // in a row
    int64_t open_until_ns; // of now_ns()'s clock
    bool trying;           // half open: the one request is under way
    long opened;           // how often it has opened
};

// True if a request may be sent now; *breaker does not change.
bool breaker_allows(const struct breaker *breaker, int64_t now_ns);

// A request is sent.
void breaker_sent(struct breaker *breaker, int64_t now_ns);

// A request that was sent has gone well, or has failed. True: the breaker's state has changed.
bool breaker_result(struct breaker *breaker, const struct breaker_settings *settings,
                    bool went_well, int64_t now_ns);

// A request that was sent is over, perhaps without a result: its client may be gone.
void breaker_forget(struct breaker *breaker);

#endif
