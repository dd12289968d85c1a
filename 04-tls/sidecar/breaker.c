// breaker.c: see breaker.h.
#include "breaker.h"

bool breaker_allows(const struct breaker *breaker, int64_t now_ns)
{
    switch (breaker->state) {
    case BREAKER_OPEN:
        return now_ns >= breaker->open_until_ns;
    case BREAKER_HALF_OPEN:
        return !breaker->trying;
    default:
        return true;
    }
}

void breaker_sent(struct breaker *breaker, int64_t now_ns)
{
    if (breaker->state == BREAKER_OPEN && now_ns >= breaker->open_until_ns)
        breaker->state = BREAKER_HALF_OPEN;
    if (breaker->state == BREAKER_HALF_OPEN)
        breaker->trying = true;
}

static void open_it(struct breaker *breaker, const struct breaker_settings *settings,
                    int64_t now_ns)
{
    breaker->state = BREAKER_OPEN;
    breaker->open_until_ns = now_ns + settings->open_ms * INT64_C(1000000);
    breaker->opened++;
}

bool breaker_result(struct breaker *breaker, const struct breaker_settings *settings,
                    bool went_well, int64_t now_ns)
{
    enum breaker_state before = breaker->state;
    breaker->trying = false;
    if (went_well && before != BREAKER_OPEN) { // open: the request was sent before that
        breaker->state = BREAKER_CLOSED;
        breaker->failures = 0;
    } else if (!went_well && before != BREAKER_OPEN) {
        breaker->failures++;
        bool enough = settings->failures && breaker->failures >= settings->failures;
        if (enough || before == BREAKER_HALF_OPEN)
            open_it(breaker, settings, now_ns);
    }
    return breaker->state != before;
}

void breaker_forget(struct breaker *breaker)
{
    breaker->trying = false;
}
