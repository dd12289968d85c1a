// pool_maintenance.c: what a pool's own threads do; see pool.h.
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "net.h"
#include "pool_inside.h"
#include "smaller.h"

#define SOONEST (5 * MS) // the time between two looks, at least: the clock may be a tick behind

// Finds the idle resource that has to be closed next (the oldest), and the reason. NULL: there
// is none.
static struct pool_item *find_old(struct pool *pool, int64_t now, enum pool_reason *reason)
{
    const struct pool_config *config = &pool->config;
    bool surplus = config->idle_ms && pool_total(pool) > config->min;
    struct pool_item *found = NULL;
    for (struct pool_item *item = pool->idle; item; item = item->next)
        if (now >= item->ends_ns || (surplus && now - item->since_ns >= config->idle_ms * MS)) {
            *reason = POOL_IDLE;
            if (now >= item->ends_ns)
                *reason = POOL_OLD;
            found = item;
        }
    return found;
}

// Finds an item that its borrower has held for too long and that has not been reported yet.
static struct pool_item *find_leak(struct pool *pool, int64_t now)
{
    for (int i = 0; pool->config.leak_ms && i < pool->config.max; i++) {
        struct pool_item *item = &pool->items[i];
        if (item->state == OUT && !item->reported &&
            now - item->since_ns >= pool->config.leak_ms * MS)
            return item;
    }
    return NULL;
}

static void report_leak(struct pool *pool, struct pool_item *item, int64_t now)
{
    char who[POOL_ERROR]; // a copy: the borrower's own text lives until it returns the item
    double held_ms = (double)(now - item->since_ns) / MS;
    snprintf(who, sizeof who, "%s", item->who);
    item->reported = true;
    pool->stats.leaks++;
    if (!pool->config.leaked)
        return;
    pthread_mutex_unlock(&pool->lock);
    pool->config.leaked(pool->config.context, who, held_ms);
    pthread_mutex_lock(&pool->lock);
}

// Not before SOONEST has passed.
static int64_t not_too_soon(int64_t next, int64_t now)
{
    if (next < now + SOONEST)
        return now + SOONEST;
    return next;
}

// When the maintenance thread has to look again. A resource that becomes idle, or is lent,
// after this look is due a whole period later. So other threads need not wake the maintenance
// thread.
static int64_t next_look(struct pool *pool, int64_t now)
{
    const struct pool_config *config = &pool->config;
    int64_t next = NEVER;
    if (config->idle_ms)
        next = earlier(next, now + config->idle_ms * MS);
    if (config->leak_ms)
        next = earlier(next, now + config->leak_ms * MS);
    if (config->lifetime_ms)
        next = earlier(next, now + config->lifetime_ms * MS * (100 - config->jitter) / 100);
    if (pool->failing && pool->first)
        next = earlier(next, pool->retry_at_ns);
    for (int i = 0; i < config->max; i++) {
        const struct pool_item *item = &pool->items[i];
        if (item->state == IDLE)
            next = earlier(next, item->ends_ns);
        if (item->state == IDLE && config->idle_ms && pool_total(pool) > config->min)
            next = earlier(next, item->since_ns + config->idle_ms * MS);
        if (item->state == OUT && config->leak_ms && !item->reported)
            next = earlier(next, item->since_ns + config->leak_ms * MS);
    }
    return not_too_soon(next, now);
}

// One round of the first thread's work; returns the time of the next round.
static int64_t maintain_once(struct pool *pool)
{
    struct pool_item *item;
    enum pool_reason reason;
    int64_t now = pool_now(pool);
    while ((item = find_old(pool, now, &reason))) {
        pool_take_idle(pool, item);
        pool_close_resource(pool, item, reason);
        pool_put_free(pool, item);
    }
    while ((item = find_leak(pool, now)))
        report_leak(pool, item, now);
    pool_serve_line(pool); // the time for another open may have come
    return next_look(pool, pool_now(pool));
}

// Opens resources until there are `min`. Returns when to look again.
static int64_t fill_once(struct pool *pool)
{
    int64_t now = pool_now(pool);
    while (!pool->closed && pool_total(pool) < pool->config.min && pool_may_open(pool, now)) {
        struct pool_item *item = pool_take_free(pool);
        if (!pool_open(pool, item, now_ns() + pool->config.open_ms * MS))
            break;
        item->since_ns = now = pool_now(pool);
        pool_put_idle(pool, item);
    }
    if (pool->failing && pool_total(pool) < pool->config.min)
        return not_too_soon(pool->retry_at_ns, pool_now(pool));
    return NEVER;
}

void pool_tend(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    maintain_once(pool);
    fill_once(pool);
    pthread_mutex_unlock(&pool->lock);
}

// Calls work() again and again: at the time that work() has returned, and when another thread
// has counted up `chores`.
static void *work_until_closed(struct pool *pool, int64_t (*work)(struct pool *))
{
    sigset_t all;
    sigfillset(&all); // signals are for the program's own threads
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_mutex_lock(&pool->lock);
    while (!pool->closed) {
        uint64_t chores = pool->chores;
        int64_t next_ns = work(pool);
        struct timespec next = {next_ns / 1000000000, next_ns % 1000000000};
        int status = 0;
        while (pool->chores == chores && status == 0)
            status = pthread_cond_timedwait(&pool->work, &pool->lock, &next);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

void *pool_maintain(void *pool)
{
    return work_until_closed(pool, maintain_once);
}

void *pool_fill(void *pool)
{
    return work_until_closed(pool, fill_once);
}
