// wakeups.c: connections that come while all workers sleep. See scenes.h.
#include <stdio.h>

#include "scenes.h"

struct seen connect_when_asleep(const char *options, int count, int *got_by)
{
    struct seen seen[WORKERS_MAX];
    char all[100];
    snprintf(all, sizeof all, "--workers %d %s", herd_workers, options);
    struct peer peer = peer_begin(all);
    read_stats(&peer, seen);
    await_sleep(seen, herd_workers);
    struct seen before = sum_stats(&peer);
    for (int i = 0; i < count; i++) {
        int worker = ask(&peer).worker;
        if (got_by)
            got_by[i] = worker;
        await_sleep(seen, herd_workers);
    }
    struct seen sum = sum_stats(&peer);
    peer_end(&peer);
    sum.switches -= before.switches;
    return sum;
}
