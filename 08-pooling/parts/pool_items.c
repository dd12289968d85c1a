// pool_items.c: the items of a pool, their lists, and the calls of the owner's functions.
#include <string.h>

#include "net.h"
#include "pool_inside.h"

struct pool_item *pool_take_free(struct pool *pool)
{
    struct pool_item *item = pool->free;
    pool->free = item->next;
    pool_set_state(pool, item, OPENING);
    if (pool_total(pool) > pool->stats.most)
        pool->stats.most = pool_total(pool);
    return item;
}

void pool_take_idle(struct pool *pool, struct pool_item *item)
{
    struct pool_item **at = &pool->idle;
    while (*at != item)
        at = &(*at)->next;
    *at = item->next;
    pool_set_state(pool, item, CHECKING);
}

void pool_wake_maintenance(struct pool *pool)
{
    pool->chores++;
    pthread_cond_broadcast(&pool->work);
}

void pool_put_free(struct pool *pool, struct pool_item *item)
{
    pool_set_state(pool, item, FREE);
    item->next = pool->free;
    pool->free = item;
    pool_serve_line(pool);
    if (pool_total(pool) < pool->config.min)
        pool_wake_maintenance(pool);
    if (pool->closed)
        pthread_cond_broadcast(&pool->gone);
}

// ---- the owner's functions, called without the lock ----------------------------------------

void pool_close_resource(struct pool *pool, struct pool_item *item, enum pool_reason reason)
{
    pool_set_state(pool, item, CLOSING);
    pthread_mutex_unlock(&pool->lock);
    pool->config.close(item->resource);
    pthread_mutex_lock(&pool->lock);
    item->resource = NULL;
    pool->stats.closed[reason]++;
}

bool pool_may_open(struct pool *pool, int64_t now)
{
    return pool->free &&
           (!pool->failing || (now >= pool->retry_at_ns && pool->count[OPENING] == 0));
}

// When the lifetime of a resource that is opened now ends. The jitter keeps resources that were
// opened together from ending together: else all borrowers would open a new one at the same
// time.
static int64_t end_of_life(struct pool *pool, int64_t now)
{
    const struct pool_config *config = &pool->config;
    if (!config->lifetime_ms)
        return NEVER;
    pool->random = pool->random * 6364136223846793005 + 1442695040888963407;
    double dice = (double)(pool->random >> 40) / (double)(1 << 24); // 0 to 1
    return now + (int64_t)((1 - dice * config->jitter / 100) * config->lifetime_ms * MS);
}

bool pool_open(struct pool *pool, struct pool_item *item, int64_t end_ns)
{
    char why[POOL_ERROR] = "";
    int64_t left_ns = end_ns - now_ns();
    int timeout_ms = 1;
    if (left_ns > MS)
        timeout_ms = (int)((left_ns + MS - 1) / MS);
    pool_set_state(pool, item, OPENING);
    pthread_mutex_unlock(&pool->lock);
    void *resource = pool->config.open(pool->config.context, timeout_ms, why);
    pthread_mutex_lock(&pool->lock);
    int64_t now = pool_now(pool);
    pool->failing = !resource;
    item->resource = resource;
    if (resource) {
        pool->stats.created++;
        item->ends_ns = end_of_life(pool, now);
        return true;
    }
    pool->stats.failed++;
    pool->retry_at_ns = now + pool->config.retry_ms * MS;
    why[POOL_ERROR - 1] = '\0';
    memcpy(pool->last_error, why, sizeof why);
    pool_put_free(pool, item);
    pool_wake_maintenance(pool); // it has to look again after retry_ms
    return false;
}

bool pool_is_valid(struct pool *pool, struct pool_item *item)
{
    pthread_mutex_unlock(&pool->lock);
    bool valid = pool->config.validate(item->resource, (pool->config.open_ms + 1) / 2);
    pthread_mutex_lock(&pool->lock);
    return valid;
}
