// round_trips.h: what the scenes reuse, pipeline and six share: requests whose time is
// measured.
#ifndef ROUND_TRIPS_H
#define ROUND_TRIPS_H

#include <stdbool.h>

#define REQUESTS 10 // of one measurement
#define TRIES    3  // of a measurement that a busy machine may disturb

struct timed {
    double ms;      // from the first request to the last answer
    int handshakes; // SYNs that the wire has seen; 0 without the wire
};

// Sends REQUESTS requests, each after the answer to the last one: all on one connection
// (`reuse`), or each on a new one.
struct timed time_requests(bool reuse);

// The reason why this link cannot show what a round trip costs; NULL if it can.
const char *no_round_trips(void);

#endif
