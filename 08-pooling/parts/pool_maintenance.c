// pool_maintenance.c: what a pool does by itself; see pool.h.
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "net.h"
#include "pool_inside.h"

#define SOONEST (5 * MS) // between two looks: the clock may be a tick behind

// An idle resource that is to be closed, and why; the oldest first. NULL: there is none.
static struct pool_item *find_old(struct pool *pool, int64_t now, enum pool_reason *reason)
{
    const struct pool_config *config = &pool->config;
    bool surplus = config->idle_ms && pool_total(pool) > config->min;
    struct pool_item *found = NULL;
    for (struct pool_item *item = pool->idle; item; item = item->next)
        if (now >= item->ends_ns || (surplus && now - item->since_ns >= config->idle_ms * MS)) {
            *reason = now >= item->ends_ns ? POOL_OLD : POOL_IDLE;
            found = item;
        }
    return found;
}

// An item that its borrower has had for too long, and that has not been reported.
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
    char who[POOL_ERROR]; // the borrower may take its own away as soon as it has returned
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

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// When to look again. What begins after this look is due after a whole period at the earliest,
// so no other thread has to wake this one for it.
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
    return next > now + SOONEST ? next : now + SOONEST;
}

int64_t pool_maintain_once(struct pool *pool)
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
    pool_serve_line(pool); // if it may be tried again to open
    return next_look(pool, pool_now(pool));
}

// Opens what is missing to `min`. Returns when to look again.
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
    if (pool->failing && pool_total(pool) < pool->config.min) {
        now = pool_now(pool);
        return pool->retry_at_ns > now + SOONEST ? pool->retry_at_ns : now + SOONEST;
    }
    return NEVER;
}

void pool_tend(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool_maintain_once(pool);
    fill_once(pool);
    pthread_mutex_unlock(&pool->lock);
}

// Does its work again and again: when the work has said, and when there are new chores.
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
    return work_until_closed(pool, pool_maintain_once);
}

void *pool_fill(void *pool)
{
    return work_until_closed(pool, fill_once);
}
