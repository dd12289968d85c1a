// pool.c: lends resources and takes them back; see pool.h.
//
// Read pool_acquire() and pool_release() first, then pool_serve_line(): the thread that returns
// a resource gives it to the first thread in line. That thread already has the resource when it
// wakes up.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net.h"
#include "pool_inside.h"

// ---- the line ------------------------------------------------------------------------------

// Takes what a borrower can have now: the resource that was returned last, or else a free place
// to open one in. NULL: there is nothing. Then *result is the reason, or POOL_OK: the borrower
// waits.
static inline struct pool_item *take(struct pool *pool, int64_t now, enum pool_result *result)
{
    struct pool_item *item = pool->idle;
    *result = POOL_OK;
    if (pool->closed) {
        *result = POOL_SHUT;
        return NULL;
    }
    if (item) {
        pool->idle = item->next;
        pool_set_state(pool, item, CHECKING);
        return item;
    }
    if (pool_may_open(pool, now))
        return pool_take_free(pool);
    if (pool_total(pool) == 0) // no resource can come back, so waiting is no use
        *result = POOL_OPEN_FAILED;
    return NULL;
}

static void join_line(struct pool *pool, struct waiter *waiter)
{
    waiter->before = pool->last;
    if (pool->last)
        pool->last->behind = waiter;
    else
        pool->first = waiter;
    pool->last = waiter;
    pool->stats.waiting++;
    pool->inside++;
}

static void leave_line(struct pool *pool, struct waiter *waiter)
{
    if (waiter->before)
        waiter->before->behind = waiter->behind;
    else
        pool->first = waiter->behind;
    if (waiter->behind)
        waiter->behind->before = waiter->before;
    else
        pool->last = waiter->before;
    pool->stats.waiting--;
}

void pool_serve_line(struct pool *pool)
{
    while (pool->first) {
        struct waiter *waiter = pool->first;
        waiter->item = take(pool, pool_now(pool), &waiter->result);
        if (!waiter->item && waiter->result == POOL_OK)
            return;
        // The hand-over. The item is never idle in between, so no other thread can take it.
        leave_line(pool, waiter);
        waiter->served = true;
        pthread_cond_signal(&waiter->turn);
    }
}

// Waits at most acquire_ms until another thread hands over an item. NULL: none has, and *result
// says why.
static struct pool_item *wait_in_line(struct pool *pool, enum pool_result *result)
{
    struct waiter me = {.served = false};
    int64_t end_ns = now_ns() + pool->config.acquire_ms * MS;
    struct timespec end = {end_ns / 1000000000, end_ns % 1000000000};
    int status = 0;
    pthread_cond_init(&me.turn, &pool->monotonic);
    join_line(pool, &me);
    // The maintenance has to serve this waiter when an open may be tried again.
    if (pool->failing)
        pool_wake_maintenance(pool);
    while (!me.served && status == 0)
        status = pthread_cond_timedwait(&me.turn, &pool->lock, &end);
    if (!me.served) {
        leave_line(pool, &me);
        me.result = POOL_TIMEOUT;
        pool->stats.timeouts++;
    }
    pthread_cond_destroy(&me.turn);
    pool->inside--;
    if (pool->closed)
        pthread_cond_broadcast(&pool->gone);
    *result = me.result;
    return me.item;
}

// ---- acquire and release -------------------------------------------------------------------

static bool is_ready(const struct pool *pool, const struct pool_item *item, int64_t now)
{
    const struct pool_config *config = &pool->config;
    return item->resource && now < item->ends_ns &&
           (!config->validate ||
            (config->validate_ms && now - item->since_ns < config->validate_ms * MS));
}

// Makes an item ready to be lent: validates its resource, replaces a resource that is not
// valid, and opens one if there is none yet. False: that failed, and the place is free again.
static bool make_ready(struct pool *pool, struct pool_item *item, int64_t now,
                       enum pool_result *result)
{
    int64_t end_ns = now_ns() + pool->config.open_ms * MS;
    if (item->resource && now >= item->ends_ns)
        pool_close_resource(pool, item, POOL_OLD);
    else if (item->resource && !pool_is_valid(pool, item))
        pool_close_resource(pool, item, POOL_INVALID);
    if (!item->resource && !pool_open(pool, item, end_ns)) {
        *result = POOL_OPEN_FAILED;
        return false;
    }
    if (pool->closed) {
        pool_close_resource(pool, item, POOL_CLOSED);
        pool_put_free(pool, item);
        *result = POOL_SHUT;
        return false;
    }
    pool_serve_line(pool); // after a failure the line waits for the next open that succeeds
    return true;
}

static void explain(struct pool *pool, struct lease *lease)
{
    int used;
    switch (lease->result) {
    case POOL_OK:
        break;
    case POOL_SHUT:
        snprintf(lease->error, POOL_ERROR, "the pool is closed");
        break;
    case POOL_OPEN_FAILED:
        snprintf(lease->error, POOL_ERROR, "cannot open: %.200s", pool->last_error);
        break;
    case POOL_TIMEOUT:
        used = snprintf(lease->error, POOL_ERROR,
                        "nothing free within %d ms, %d of %d out: ", pool->config.acquire_ms,
                        pool->count[OUT], pool->config.max);
        if (pool->failing)
            used += snprintf(lease->error + used, (size_t)(POOL_ERROR - used),
                             "(cannot open: %.100s) ", pool->last_error);
        pool_list_holders(pool, lease->error + used, POOL_ERROR - used);
    }
}

bool pool_acquire(struct pool *pool, const char *who, struct lease *lease)
{
    struct pool_item *item = NULL;
    int64_t waited_ns = 0, now = pool_now(pool);
    lease->error[0] = '\0';
    lease->result = POOL_OK;
    pthread_mutex_lock(&pool->lock);
    if (!pool->first)
        item = take(pool, now, &lease->result);
    if (!item && lease->result == POOL_OK) {
        int64_t start_ns = now_ns();
        item = wait_in_line(pool, &lease->result);
        waited_ns = now_ns() - start_ns;
        now = pool_now(pool);
    }
    if (item && !is_ready(pool, item, now)) {
        if (!make_ready(pool, item, now, &lease->result))
            item = NULL;
        now = pool_now(pool);
    }
    lease->pool = pool;
    lease->item = item;
    lease->resource = NULL;
    if (item) {
        lease->resource = item->resource;
        pool_set_state(pool, item, OUT);
        item->since_ns = now;
        item->who = who;
        item->reported = false;
        item->loan = lease->loan = ++pool->loans;
        if (waited_ns)
            pool_count_wait(pool, waited_ns);
        else
            pool->stats.waits[0]++;
    } else
        explain(pool, lease);
    pthread_mutex_unlock(&pool->lock);
    return item != NULL;
}

bool pool_release(struct lease *lease, bool usable)
{
    struct pool *pool = lease->pool;
    struct pool_item *item = lease->item;
    if (!item)
        return false;
    lease->item = NULL;
    lease->resource = NULL;
    int64_t now = pool_now(pool);
    pthread_mutex_lock(&pool->lock);
    bool lent = item->state == OUT && item->loan == lease->loan;
    if (!lent) { // a copy of this lease was returned before: the item may be another borrower's
        pool->stats.misuses++;
    } else if (usable && !pool->closed && now < item->ends_ns) {
        item->since_ns = now;
        pool_put_idle(pool, item);
    } else {
        enum pool_reason reason = POOL_OLD;
        if (!usable)
            reason = POOL_BROKEN;
        else if (pool->closed)
            reason = POOL_CLOSED;
        pool_close_resource(pool, item, reason);
        pool_put_free(pool, item);
    }
    pthread_mutex_unlock(&pool->lock);
    return lent;
}

// ---- the pool's own beginning and end ------------------------------------------------------

static bool makes_sense(const struct pool_config *c)
{
    return c->max >= 1 && c->max <= POOL_MAX_RESOURCES && c->min >= 0 && c->min <= c->max &&
           c->acquire_ms >= 0 && c->open_ms >= 1 && c->retry_ms >= 0 && c->idle_ms >= 0 &&
           c->lifetime_ms >= 0 && c->jitter >= 0 && c->jitter <= 50 && c->validate_ms >= 0 &&
           c->leak_ms >= 0 && c->open && c->close;
}

static void forget(struct pool *pool)
{
    pthread_cond_destroy(&pool->gone);
    pthread_cond_destroy(&pool->work);
    pthread_condattr_destroy(&pool->monotonic);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static void wait_for_threads(struct pool *pool)
{
    pthread_join(pool->maintenance, NULL);
    pthread_join(pool->filler, NULL);
}

// False, and errno: there is no further thread.
static bool start_threads(struct pool *pool)
{
    errno = pthread_create(&pool->maintenance, NULL, pool_maintain, pool);
    if (errno)
        return false;
    errno = pthread_create(&pool->filler, NULL, pool_fill, pool);
    if (errno == 0)
        return true;
    int reason = errno;
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    pool_wake_maintenance(pool);
    pthread_mutex_unlock(&pool->lock);
    pthread_join(pool->maintenance, NULL);
    errno = reason;
    return false;
}

struct pool *pool_create(const struct pool_config *config)
{
    struct pool *pool = NULL;
    if (!makes_sense(config))
        errno = EINVAL;
    else
        pool = calloc(1, sizeof *pool + (size_t)config->max * sizeof *pool->items);
    if (!pool)
        return NULL;
    pool->config = *config;
    pool->has_threads = !config->clock;
    pool->random = (uint64_t)now_ns();
    pool->count[FREE] = config->max;
    for (int i = config->max - 1; i >= 0; i--) {
        pool->items[i].next = pool->free;
        pool->free = &pool->items[i];
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_init(&pool->monotonic);
    pthread_condattr_setclock(&pool->monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->gone, &pool->monotonic);
    pthread_cond_init(&pool->work, &pool->monotonic);
    if (pool->has_threads && !start_threads(pool)) {
        forget(pool);
        return NULL;
    }
    return pool;
}

static void close_idle(struct pool *pool)
{
    struct pool_item *item;
    while ((item = pool->idle)) {
        pool_take_idle(pool, item);
        pool_close_resource(pool, item, POOL_CLOSED);
        pool_put_free(pool, item);
    }
}

int pool_close(struct pool *pool, int timeout_ms)
{
    int64_t end_ns = now_ns() + timeout_ms * MS;
    struct timespec end = {end_ns / 1000000000, end_ns % 1000000000};
    int status = 0, missing;
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    pool_serve_line(pool);
    pool_wake_maintenance(pool);
    if (pool->has_threads) {
        pthread_mutex_unlock(&pool->lock);
        wait_for_threads(pool);
        pthread_mutex_lock(&pool->lock);
        pool->has_threads = false;
    }
    for (;;) {
        close_idle(pool);
        missing = pool_total(pool) + pool->inside;
        if (missing == 0 || status)
            break;
        status = pthread_cond_timedwait(&pool->gone, &pool->lock, &end);
    }
    pthread_mutex_unlock(&pool->lock);
    if (missing == 0)
        forget(pool);
    return missing;
}
