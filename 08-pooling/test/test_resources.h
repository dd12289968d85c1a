// test_resources.h: what the tests of the pool lend: resources that cost nothing, and the
// threads that borrow them.
#ifndef TEST_RESOURCES_H
#define TEST_RESOURCES_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "net.h"
#include "pool.h"
#include "test.h"

#define AWAIT_MS 20000
#define THREADS  12

// ---- resources, and the functions that make them -------------------------------------------

struct resource {
    int number;
    bool bad;         // does not answer when it is asked
    atomic_int users; // 1 at most
};

static atomic_int resources_open, resources_most, resources_made, opens_tried, validations;
static atomic_bool no_resource, gate_shut; // opening fails; opening waits
static atomic_bool check_hangs;            // validating waits
static atomic_int time_given_ms;           // to open and validate, added up
static int64_t test_clock_ns;              // of pools that have a clock of their own

static void *resource_open(void *context, int timeout_ms, char why[POOL_ERROR])
{
    (void)context;
    time_given_ms += timeout_ms;
    opens_tried++;
    while (gate_shut)
        sleep_ms(1);
    if (no_resource) {
        snprintf(why, POOL_ERROR, "out of resources");
        return NULL;
    }
    struct resource *resource = calloc(1, sizeof *resource);
    resource->number = ++resources_made;
    int now = ++resources_open;
    for (int most = resources_most; now > most;)
        atomic_compare_exchange_weak(&resources_most, &most, now);
    return resource;
}

static void resource_close(void *resource)
{
    resources_open--;
    free(resource);
}

static bool resource_validate(void *resource, int timeout_ms)
{
    time_given_ms += timeout_ms;
    validations++;
    while (check_hangs)
        sleep_ms(1);
    return !((struct resource *)resource)->bad;
}

static int64_t test_clock(void)
{
    return test_clock_ns;
}

static struct pool_config resources(int max)
{
    return (struct pool_config){.max = max,
                                .acquire_ms = AWAIT_MS,
                                .open_ms = 1000,
                                .validate_ms = 1000000,
                                .open = resource_open,
                                .close = resource_close,
                                .validate = resource_validate};
}

// The same, but no thread waits, and the clock is the test's.
static struct pool_config resources_without_time(int max)
{
    struct pool_config config = resources(max);
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
    CHECK_INT(resources_open, 0);
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
