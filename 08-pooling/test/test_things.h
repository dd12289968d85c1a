// test_things.h: what the tests of the pool lend: things that cost nothing; and who borrows
// them.
#ifndef TEST_THINGS_H
#define TEST_THINGS_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "net.h"
#include "pool.h"
#include "test.h"

#define AWAIT_MS 20000
#define THREADS  12

// ---- things, and who makes them ------------------------------------------------------------

struct thing {
    int number;
    bool bad;         // does not answer when it is asked
    atomic_int users; // 1 at most
};

static atomic_int things_open, things_most, things_made, opens_tried, validations;
static atomic_bool no_thing, gate_shut; // opening fails; opening waits
static int64_t test_clock_ns;           // of pools that have a clock of their own

static void *thing_open(void *context, int timeout_ms, char why[POOL_ERROR])
{
    (void)context;
    (void)timeout_ms;
    opens_tried++;
    while (gate_shut)
        sleep_ms(1);
    if (no_thing) {
        snprintf(why, POOL_ERROR, "out of things");
        return NULL;
    }
    struct thing *thing = calloc(1, sizeof *thing);
    thing->number = ++things_made;
    int now = ++things_open;
    for (int most = things_most; now > most;)
        atomic_compare_exchange_weak(&things_most, &most, now);
    return thing;
}

static void thing_close(void *thing)
{
    things_open--;
    free(thing);
}

static bool thing_validate(void *thing, int timeout_ms)
{
    (void)timeout_ms;
    validations++;
    return !((struct thing *)thing)->bad;
}

static int64_t test_clock(void)
{
    return test_clock_ns;
}

static struct pool_config things(int max)
{
    return (struct pool_config){.max = max,
                                .acquire_ms = AWAIT_MS,
                                .open_ms = 1000,
                                .validate_ms = 1000000,
                                .open = thing_open,
                                .close = thing_close,
                                .validate = thing_validate};
}

// The same, but nobody waits, and the clock is the test's.
static struct pool_config things_without_time(int max)
{
    struct pool_config config = things(max);
    config.acquire_ms = 0;
    config.clock = test_clock;
    return config;
}

static void pass_ms(int ms)
{
    test_clock_ns += ms * INT64_C(1000000);
}

static struct pool *new_pool(struct pool_config config)
{
    struct pool *pool = pool_create(&config);
    if (!pool)
        die("pool_create(): %s", strerror(errno));
    return pool;
}

static struct pool_stats stats_of(struct pool *pool)
{
    struct pool_stats stats;
    pool_stats(pool, &stats);
    return stats;
}

// Waits until there are so many of each; -1: whatever there is.
static bool await(struct pool *pool, int active, int idle, int waiting)
{
    for (int ms = 0; ms < AWAIT_MS; ms++, sleep_ms(1)) {
        struct pool_stats now = stats_of(pool);
        if ((active < 0 || now.active == active) && (idle < 0 || now.idle == idle) &&
            (waiting < 0 || now.waiting == waiting))
            return true;
    }
    return false;
}

static void expect_closed(struct pool *pool)
{
    CHECK_INT(pool_close(pool, AWAIT_MS), 0);
    CHECK_INT(things_open, 0);
}

// ---- borrowers -----------------------------------------------------------------------------

struct borrower {
    struct pool *pool;
    struct lease lease;
    int order;  // in which it was served
    bool keeps; // does not return it
};

static atomic_int served;

static void *borrow(void *argument)
{
    struct borrower *borrower = argument;
    if (pool_acquire(borrower->pool, "borrower", &borrower->lease)) {
        borrower->order = ++served;
        if (!borrower->keeps)
            pool_release(&borrower->lease, true);
    }
    return NULL;
}

// Starts borrowers, one after the other is in line.
static void line_up(struct pool *pool, struct borrower *borrowers, pthread_t *threads,
                    int count)
{
    for (int i = 0; i < count; i++) {
        borrowers[i].pool = pool;
        CHECK_INT(pthread_create(&threads[i], NULL, borrow, &borrowers[i]), 0);
        CHECK(await(pool, -1, -1, i + 1));
    }
}

#endif
