// pool_report.c: figures about a pool, and the list of its borrowers; see pool.h.
#include <stdio.h>

#include "pool_inside.h"

const char *const pool_reason_name[POOL_REASONS] = {
    "not usable any more", "failed validation", "idle timeout", "max lifetime", "pool closed"};

void pool_stats(struct pool *pool, struct pool_stats *stats)
{
    pthread_mutex_lock(&pool->lock);
    *stats = pool->stats;
    stats->active = pool->count[OUT];
    stats->idle = pool->count[IDLE];
    stats->opening = pool->count[OPENING] + pool->count[CHECKING];
    stats->closing = pool->count[CLOSING];
    for (int group = 0; group < POOL_WAITS; group++)
        stats->acquired += stats->waits[group];
    pthread_mutex_unlock(&pool->lock);
}

// Among the items that are lent, sorted by how long they are out (the longest first): the one
// after `last`. NULL: there is no further one.
static const struct pool_item *next_holder(const struct pool *pool,
                                           const struct pool_item *last)
{
    const struct pool_item *next = NULL;
    for (const struct pool_item *item = pool->items; item < pool->items + pool->config.max;
         item++) {
        bool is_after = !last || item->since_ns > last->since_ns ||
                        (item->since_ns == last->since_ns && item > last);
        if (item->state == OUT && is_after && (!next || item->since_ns < next->since_ns))
            next = item;
    }
    return next;
}

int pool_list_holders(struct pool *pool, char *text, int size)
{
    int64_t now = pool_now(pool);
    const struct pool_item *item = NULL;
    int used = 0;
    if (size > 0)
        text[0] = '\0';
    const char *separator = "";
    while (used < size && (item = next_holder(pool, item))) {
        used += snprintf(text + used, (size_t)(size - used), "%s%s for %.1f s", separator,
                         item->who, (double)(now - item->since_ns) / 1e9);
        separator = ", ";
    }
    return pool->count[OUT];
}

int pool_holders(struct pool *pool, char *text, int size)
{
    pthread_mutex_lock(&pool->lock);
    int count = pool_list_holders(pool, text, size);
    pthread_mutex_unlock(&pool->lock);
    return count;
}

void pool_count_wait(struct pool *pool, int64_t waited_ns)
{
    int group = 0;
    if (waited_ns > 0)
        for (int64_t us = waited_ns / 1000; group == 0 || us > 0; us >>= 1)
            group++;
    if (group >= POOL_WAITS)
        group = POOL_WAITS - 1;
    pool->stats.waits[group]++;
}

double pool_wait_ms(const struct pool_stats *stats, double part)
{
    uint64_t all = 0, so_far = 0;
    for (int group = 0; group < POOL_WAITS; group++)
        all += stats->waits[group];
    for (int group = 0; group < POOL_WAITS; group++) {
        so_far += stats->waits[group];
        if ((double)so_far >= part * (double)all && group > 0)
            return (double)(UINT64_C(1) << group) / 1000;
        if ((double)so_far >= part * (double)all)
            return 0;
    }
    return 0;
}
