// retry.c: see retry.h.
#include "retry.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_S 86400 // no server is obeyed for more than a day

bool retry_is_repeatable(const char *method, const char *key)
{
    static const char *const idempotent[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < sizeof idempotent / sizeof *idempotent; i++)
        if (!strcmp(method, idempotent[i]))
            return true;
    return key != NULL;
}

bool retry_may(enum call_outcome outcome, int status, bool repeatable)
{
    switch (outcome) {
    case CALL_REFUSED:
        return true; // nothing has reached the server
    case CALL_LOST:
    case CALL_TIMEOUT:
        return repeatable; // it may have done everything
    case CALL_GARBLED:
        return false; // the program there does not speak HTTP/1.1, and will not next time
    case CALL_ANSWERED:
        break;
    }
    switch (status) {
    case 429:        // too many requests, RFC 6585 §4
    case 503:        // not now, RFC 9110 §15.6.4
        return true; // both say that nothing was done
    case 409:        // the first call with this key is still in progress
    case 500:
    case 502:
    case 504:
        return repeatable;
    default:
        return false; // the same request gets the same answer
    }
}

int64_t retry_backoff_ms(const struct retry_policy *policy, int attempts)
{
    int64_t backoff_ms = policy->base_ms;
    for (int i = 1; i < attempts && backoff_ms < policy->cap_ms; i++)
        backoff_ms *= 2;
    if (backoff_ms > policy->cap_ms)
        return policy->cap_ms;
    return backoff_ms;
}

int64_t retry_wait_ms(const struct retry_policy *policy, int attempts, int64_t elapsed_ms,
                      int64_t asked_ms, uint64_t random)
{
    int64_t wait_ms = retry_backoff_ms(policy, attempts);
    if (policy->jitter)
        wait_ms = (int64_t)(random % ((uint64_t)wait_ms + 1));
    if (asked_ms > 0 && policy->jitter)
        wait_ms += asked_ms;
    else if (asked_ms > wait_ms)
        wait_ms = asked_ms;
    if (attempts >= policy->attempts_max || wait_ms >= policy->deadline_ms - elapsed_ms)
        return RETRY_GIVE_UP;
    return wait_ms;
}

static int64_t seconds_in(const char *value)
{
    int64_t seconds = 0;
    for (; *value >= '0' && *value <= '9'; value++) {
        seconds = seconds * 10 + (*value - '0');
        if (seconds > LONGEST_S)
            seconds = LONGEST_S;
    }
    if (*value)
        return -1;
    return seconds;
}

int64_t retry_after_ms(const char *value, time_t now)
{
    static const char *const dates[] = {
        "%a, %d %b %Y %H:%M:%S GMT", // Sun, 06 Nov 1994 08:49:37 GMT, today's
        "%A, %d-%b-%y %H:%M:%S GMT", // Sunday, 06-Nov-94 08:49:37 GMT, of RFC 850
        "%a %b %d %H:%M:%S %Y",      // Sun Nov  6 08:49:37 1994, of asctime()
    };
    int64_t seconds = -1;
    if (*value)
        seconds = seconds_in(value);
    for (size_t i = 0; i < sizeof dates / sizeof *dates && seconds < 0; i++) {
        struct tm tm = {0};
        const char *end = strptime(value, dates[i], &tm); // in the C locale: in English
        if (end && !*end) {
            time_t at = timegm(&tm);
            seconds = 0;
            if (at > now)
                seconds = at - now;
        }
    }
    if (seconds < 0)
        return RETRY_UNASKED;
    if (seconds > LONGEST_S)
        seconds = LONGEST_S;
    return seconds * 1000;
}
