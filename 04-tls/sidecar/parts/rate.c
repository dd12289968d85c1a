// rate.c: see rate.h.
#include "rate.h"

#include <stdio.h>
#include <string.h>

static struct bucket {
    char client[128];
    double tokens;
    int64_t at_ns; // when `tokens` was right
} buckets[RATE_CLIENTS];

// The client's bucket, or a full one in place of the one that has not been used longest.
static struct bucket *find(const char *client, int burst, int64_t now_ns)
{
    struct bucket *oldest = buckets;
    for (struct bucket *b = buckets; b < buckets + RATE_CLIENTS; b++) {
        if (b->at_ns && !strcmp(b->client, client))
            return b;
        if (b->at_ns < oldest->at_ns)
            oldest = b;
    }
    snprintf(oldest->client, sizeof oldest->client, "%s", client);
    oldest->tokens = burst;
    oldest->at_ns = now_ns;
    return oldest;
}

int rate_take(const char *client, int rate, int burst, int64_t now_ns)
{
    struct bucket *bucket = find(client, burst, now_ns);
    bucket->tokens += (double)(now_ns - bucket->at_ns) / 1e9 * rate;
    bucket->at_ns = now_ns;
    if (bucket->tokens > burst)
        bucket->tokens = burst;
    if (bucket->tokens >= 1) {
        bucket->tokens -= 1;
        return 0;
    }
    return (int)((1 - bucket->tokens) / rate) + 1;
}
