// commit_delay.c: see commit_delay.h.
#include "commit_delay.h"

#define DELAY_MAX_NS 1000000 // no group waits longer
#define SYNC_PART    4       // nor longer than this part of a sync: it would gain nothing

bool commit_delay_waits(struct commit_delay *delay, int64_t now_ns)
{
    bool just_answered = delay->just_answered;
    delay->just_answered = false;
    if (!delay->records)
        return false;
    if (!delay->until_ns) {
        int64_t most_ns = delay->sync_ns / SYNC_PART;
        if (most_ns > DELAY_MAX_NS)
            most_ns = DELAY_MAX_NS;
        delay->until_ns = now_ns + most_ns;
        delay->expected = delay->answered;
        if (just_answered) // these records came during the sync, from other clients
            delay->expected += delay->records;
    }
    return delay->records < delay->expected && now_ns < delay->until_ns;
}

void commit_delay_synced(struct commit_delay *delay, int64_t sync_ns)
{
    *delay = (struct commit_delay){
        .answered = delay->records, .just_answered = true, .sync_ns = sync_ns};
}
