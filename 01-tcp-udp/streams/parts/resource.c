// resource.c: see resource.h.
#include "resource.h"

#include <stdio.h>
#include <string.h>

#include "smaller.h"
#include "timers.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define PATTERN (sizeof pattern - 1) // 251 bytes; then they come again

static const char pattern[] =
    LETTERS LETTERS LETTERS LETTERS LETTERS LETTERS LETTERS LETTERS LETTERS "ABCDEFGHIJKLMNOPQ";

bool resource_find(const char *path, int64_t now, struct resource *r)
{
    unsigned long long length;
    int count, period_ms, phase_ms, used = 0;
    memset(r, 0, sizeof *r);
    if (sscanf(path, "/bytes/%10llu%n", &length, &used) == 1 && !path[used] &&
        length <= RESOURCE_BYTES_MAX) {
        r->length = length;
        return true;
    }
    if (sscanf(path, "/ticks/%5d/%5d/%5d%n", &count, &period_ms, &phase_ms, &used) != 3 ||
        path[used] || count < 1 || count > TICKS_MAX || period_ms < 1 || phase_ms < 0 ||
        phase_ms >= period_ms)
        return false;
    r->length = (uint64_t)count * TICK_BYTES;
    r->period_ns = period_ms * INT64_C(1000000);
    r->first_ns = (now / r->period_ns + 1) * r->period_ns + phase_ms * INT64_C(1000000);
    return true;
}

uint64_t resource_here(const struct resource *r, int64_t now, int64_t *more_ns)
{
    *more_ns = NEVER;
    if (r->period_ns == 0)
        return r->length;
    uint64_t count = 0;
    if (now >= r->first_ns)
        count = (uint64_t)((now - r->first_ns) / r->period_ns) + 1;
    if (count * TICK_BYTES >= r->length)
        return r->length;
    *more_ns = r->first_ns + (int64_t)count * r->period_ns;
    return count * TICK_BYTES;
}

void resource_fill(const struct resource *r, uint64_t offset, uint8_t *out, size_t length)
{
    char line[TICK_BYTES + 8];
    const char *unit = pattern;
    size_t unit_bytes = PATTERN;
    if (r->period_ns) {
        unit = line;
        unit_bytes = TICK_BYTES;
    }
    while (length > 0) {
        size_t at = offset % unit_bytes, part = smaller(length, unit_bytes - at);
        int64_t moment = r->first_ns + (int64_t)(offset / TICK_BYTES) * r->period_ns;
        if (r->period_ns)
            snprintf(line, sizeof line, "%015lld\n", (long long)(moment / 1000));
        memcpy(out, unit + at, part);
        out += part;
        offset += part;
        length -= part;
    }
}
