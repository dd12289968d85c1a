// beside.h: one client whose requests take long, and others, beside it, whose requests do not.
#ifndef BESIDE_H
#define BESIDE_H

#include <stdint.h>

#define BESIDE_OTHERS   8
#define BESIDE_PAUSE_MS 1 // the others pause so long between two requests
#define BESIDE_WORKERS  4
#define BESIDE_APART    4 // a median that is so many times longer is longer on any machine

struct beside {
    double half_ms;    // the median of all answers to the others
    double unlucky_ms; // the p99 of the client that waits longest
    double answers;    // answers to the others for each heavy request
    int served;        // of the others: that had an answer
};

// Starts a server and measures until so many requests for `path` are answered, or a few
// seconds have passed.
void beside_measure(const char *model, const char *options, const char *path, uint64_t times,
                    struct beside *result);

// A bar: how long the client waits that waits longest; `full_ms` is the longest bar.
void beside_show(const char *label, const struct beside *result, double full_ms);

#endif
