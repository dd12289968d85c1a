// commit_delay.h: should a group of records wait a moment for more records before it is synced?
//
// Clients that were answered a moment ago are likely to come back at once. If the next group is
// synced without them, two groups take turns from then on, and each client waits for two syncs.
// With a sync of 3 ms, the delay brings 2 clients from 290 to 520 charges a second, and 16
// clients from 1,700 to 2,600; for 64 clients it makes no difference. (PostgreSQL's
// commit_delay does the same with a fixed time.)
#ifndef COMMIT_DELAY_H
#define COMMIT_DELAY_H

#include <stdbool.h>
#include <stdint.h>

struct commit_delay {
    uint32_t records;   // in the present group; the caller counts them
    uint32_t answered;  // records of the group before it
    bool just_answered; // those were answered in this round of the loop
    uint32_t expected;  // the number of records that is worth waiting for
    int64_t until_ns;   // the group is synced at this time at the latest; 0: not decided yet
    int64_t sync_ns;    // how long the last sync took
};

// To be asked once in each round of the loop. True: the group should not be synced in this
// round.
bool commit_delay_waits(struct commit_delay *delay, int64_t now_ns);

// The group was synced, which took sync_ns; the next group begins.
void commit_delay_synced(struct commit_delay *delay, int64_t sync_ns);

#endif
