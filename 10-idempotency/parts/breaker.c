// breaker.c: see breaker.h.
#include "breaker.h"

#include <string.h>

static void enter(struct breaker *breaker, enum breaker_state state, int64_t now_ms)
{
    breaker->state = state;
    breaker->since_ms = now_ms;
    breaker->probing = false;
    breaker->probes_good = 0;
    if (++breaker->period == BREAKER_REFUSED)
        breaker->period++;
    memset(breaker->slots, 0, sizeof breaker->slots);
}

void breaker_begin(struct breaker *breaker, const struct breaker_policy *policy, int64_t now_ms)
{
    *breaker = (struct breaker){.policy = *policy};
    enter(breaker, BREAKER_CLOSED, now_ms);
}

const char *breaker_state_name(enum breaker_state state)
{
    static const char *const names[] = {"closed", "open", "half-open"};
    return names[state];
}

uint32_t breaker_ask(struct breaker *breaker, int64_t now_ms)
{
    int64_t open_ms = breaker->policy.open_ms;
    if (breaker->state == BREAKER_CLOSED)
        return breaker->period;
    if (breaker->state == BREAKER_OPEN) {
        if (now_ms - breaker->since_ms < open_ms)
            return BREAKER_REFUSED;
        enter(breaker, BREAKER_HALF_OPEN, now_ms);
    }
    // There is one probe at a time. A probe whose end is not reported is given up after
    // open_ms: it must not keep the breaker closed to all others for ever.
    if (breaker->probing && now_ms - breaker->probing_ms < open_ms)
        return BREAKER_REFUSED;
    breaker->probing = true;
    breaker->probing_ms = now_ms;
    return breaker->period;
}

// Counts a call, and says whether there were too many failures in the window.
static bool too_many(struct breaker *breaker, bool good, int64_t now_ms)
{
    int64_t slot = now_ms / (breaker->policy.window_ms / BREAKER_SLOTS);
    int here = (int)(slot % BREAKER_SLOTS), calls = 0, failed = 0;
    if (breaker->slots[here].slot != slot) {
        breaker->slots[here].slot = slot;
        breaker->slots[here].calls = breaker->slots[here].failed = 0;
    }
    breaker->slots[here].calls++;
    breaker->slots[here].failed += !good;
    for (int i = 0; i < BREAKER_SLOTS; i++)
        if (slot - breaker->slots[i].slot < BREAKER_SLOTS) {
            calls += breaker->slots[i].calls;
            failed += breaker->slots[i].failed;
        }
    return calls >= breaker->policy.calls_min &&
           failed * INT64_C(100) >= (int64_t)calls * breaker->policy.failed_percent;
}

void breaker_tell(struct breaker *breaker, uint32_t ticket, bool good, int64_t now_ms)
{
    if (ticket != breaker->period)
        return;
    if (breaker->state == BREAKER_CLOSED) {
        if (too_many(breaker, good, now_ms) && !good)
            enter(breaker, BREAKER_OPEN, now_ms);
    } else if (breaker->state == BREAKER_HALF_OPEN) {
        breaker->probing = false;
        if (!good)
            enter(breaker, BREAKER_OPEN, now_ms);
        else if (++breaker->probes_good >= breaker->policy.probes)
            enter(breaker, BREAKER_CLOSED, now_ms);
    }
}
