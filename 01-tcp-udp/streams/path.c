// path.c: see path.h.
#include "path.h"

#include <string.h>

#include "secret.h"
#include "timers.h"

uint64_t path_allows(const struct path *path)
{
    if (path->validated)
        return UINT64_MAX;
    if (path->sent >= AMPLIFICATION * path->received)
        return 0;
    return AMPLIFICATION * path->received - path->sent;
}

void path_challenge(struct path *path, int64_t pto_ns, int64_t now)
{
    random_bytes(path->challenge, sizeof path->challenge);
    int64_t all_ns = CHALLENGE_TIMES * pto_ns;
    if (all_ns < CHALLENGE_MIN_NS)
        all_ns = CHALLENGE_MIN_NS;
    path->challenging = path->challenge_due = true;
    path->step_ns = all_ns / CHALLENGE_TIMES;
    path->again_ns = now + path->step_ns;
    path->fails_ns = now + all_ns;
}

bool path_answered(struct path *path, const uint8_t data[CHALLENGE_BYTES])
{
    if (!path->challenging || memcmp(path->challenge, data, CHALLENGE_BYTES))
        return false;
    path->challenging = path->challenge_due = false;
    path->validated = true;
    return true;
}

int64_t path_due_ns(const struct path *path)
{
    if (!path->challenging)
        return NEVER;
    return path->again_ns;
}

bool path_expire(struct path *path, int64_t now)
{
    if (now >= path->fails_ns) {
        path->challenging = path->challenge_due = false;
        return false;
    }
    path->challenge_due = true;
    path->again_ns = now + path->step_ns;
    return true;
}
