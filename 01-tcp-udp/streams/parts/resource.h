// resource.h: what a server has to give, over UDP and over TCP: bytes that are known
// beforehand, and a clock that says the time now and then.
//
//     /bytes/N                     N bytes
//     /ticks/COUNT/PERIOD/PHASE    COUNT lines, one every PERIOD milliseconds: the moment of
//     the
//                                  line, PHASE after a multiple of PERIOD of CLOCK_MONOTONIC
#ifndef RESOURCE_H
#define RESOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESOURCE_BYTES_MAX 1000000000
#define TICK_BYTES         16 // of a line: microseconds and a newline
#define TICKS_MAX          1000
#define PATH_MAX_BYTES     200

struct resource {
    uint64_t length;             // of all of it
    int64_t first_ns, period_ns; // of ticks; period 0: all is there at once
};

// Finds what a path names, as it is from now on. False: there is nothing of that name.
bool resource_find(const char *path, int64_t now_ns, struct resource *resource);

// How many bytes of it there are now, and when there are more: NEVER when this is all.
uint64_t resource_here(const struct resource *resource, int64_t now_ns, int64_t *more_ns);

// Its bytes from `offset` on.
void resource_fill(const struct resource *resource, uint64_t offset, uint8_t *out,
                   size_t length);

#endif
