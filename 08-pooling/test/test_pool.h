// test_pool.h: tests of the pool on its own: one borrower, time that passes, opens that fail.
// The others are in test_pool_line.h (threads), test_pool_model.h
// (100,000 random steps) and test_sessions.h (with a database).
#ifndef TEST_POOL_H
#define TEST_POOL_H

#include "test_pool_line.h"
#include "test_pool_model.h"
#include "test_sessions.h"
#include "test_resources.h"

// ---- one borrower --------------------------------------------------------------------------

TEST(pool_lends_again)
{
    struct lease lease;
    struct pool *pool = new_pool(resources(3));
    for (int i = 0; i < 10; i++) {
        CHECK(pool_acquire(pool, "a test", &lease));
        CHECK_INT(((struct resource *)lease.resource)->number, 1);
        CHECK_INT(stats_of(pool).active, 1);
        pool_release(&lease, true);
        pool_release(&lease, true); // once too often: nothing happens
        CHECK_INT(stats_of(pool).idle, 1);
    }
    CHECK_INT(stats_of(pool).acquired, 10);
    CHECK_INT(stats_of(pool).waits[0], 10);
    CHECK_INT(stats_of(pool).created, 1);
    expect_closed(pool);
}

// A lease that is returned by a copy of it as well: the second time another borrower has the
// resource.
TEST(pool_catches_a_lease_that_is_returned_twice)
{
    struct lease first, copy, second;
    struct pool *pool = new_pool(resources(1));
    CHECK(pool_acquire(pool, "first", &first));
    copy = first;
    CHECK(pool_release(&first, true));
    CHECK(!pool_release(&first, true));
    CHECK(pool_acquire(pool, "second", &second));
    CHECK(!pool_release(&copy, false));
    CHECK_INT(stats_of(pool).misuses, 1);
    CHECK_INT(stats_of(pool).active, 1); // the second borrower's, still
    CHECK(!pool_release(&copy, true));
    CHECK(pool_release(&second, true));
    CHECK_INT(stats_of(pool).created, 1);
    expect_closed(pool);
}

// Validating and opening together get no more than open_ms: a borrower waits acquire_ms and
// open_ms.
TEST(pool_gives_validation_and_open_one_time_limit)
{
    struct lease lease;
    struct pool_config config = resources(1);
    config.validate_ms = 0; // always
    config.open_ms = 1000;
    struct pool *pool = new_pool(config);
    CHECK(pool_acquire(pool, "a test", &lease));
    ((struct resource *)lease.resource)->bad = true;
    pool_release(&lease, true);
    time_given_ms = validations = 0;
    CHECK(pool_acquire(pool, "a test", &lease));
    CHECK_INT(validations, 1);
    CHECK_INT(resources_made, 2);
    CHECK_BETWEEN(time_given_ms, 1001, 1500); // 500 and what was left of 1000
    pool_release(&lease, true);
    expect_closed(pool);
}

TEST(pool_configurations_that_make_no_sense)
{
    struct pool_config bad[9];
    for (int i = 0; i < 9; i++)
        bad[i] = resources(5);
    bad[0].max = 0;
    bad[1].max = POOL_MAX_RESOURCES + 1;
    bad[2].min = 6;
    bad[3].min = -1;
    bad[4].jitter = 51;
    bad[5].open_ms = 0;
    bad[6].acquire_ms = -1;
    bad[7].open = NULL;
    bad[8].close = NULL;
    for (int i = 0; i < 9; i++) {
        errno = 0;
        CHECK(!pool_create(&bad[i]));
        CHECK_INT(errno, EINVAL);
    }
}

TEST(pool_names_its_borrowers)
{
    struct lease a, b, c;
    struct pool *pool = new_pool(resources_without_time(2));
    CHECK(pool_acquire(pool, "the first", &a));
    pass_ms(1500);
    CHECK(pool_acquire(pool, __func__, &b));
    pass_ms(500);
    CHECK(!pool_acquire(pool, "the third", &c));
    CHECK(!c.resource);
    CHECK_INT(c.result, POOL_TIMEOUT);
    CHECK_HAS(c.error, "nothing free within 0 ms, 2 of 2 out: the first for 2.0 s, ");
    CHECK_HAS(c.error, "test_pool_names_its_borrowers for 0.5 s");
    pool_release(&c, true); // it never got anything
    CHECK_INT(stats_of(pool).active, 2);
    CHECK_INT(stats_of(pool).timeouts, 1);
    pool_release(&a, true);
    pool_release(&b, true);
    expect_closed(pool);
}

TEST(pool_replaces_what_is_broken)
{
    struct lease lease;
    struct pool *pool = new_pool(resources_without_time(1));
    CHECK(pool_acquire(pool, "a test", &lease));
    pool_release(&lease, false);
    CHECK_INT(resources_open, 0);
    CHECK(pool_acquire(pool, "a test", &lease));
    CHECK_INT(((struct resource *)lease.resource)->number, 2);
    pool_release(&lease, true);
    CHECK_INT(stats_of(pool).closed[POOL_BROKEN], 1);
    expect_closed(pool);
}

// ---- what happens with time ----------------------------------------------------------------

TEST(pool_asks_what_was_idle)
{
    struct lease lease;
    struct pool_config config = resources_without_time(2);
    config.validate_ms = 100;
    struct pool *pool = new_pool(config);
    CHECK(pool_acquire(pool, "a test", &lease));
    pool_release(&lease, true);
    pass_ms(99);
    CHECK(pool_acquire(pool, "a test", &lease));
    CHECK_INT(validations, 0); // a moment ago it was good
    pool_release(&lease, true);
    pass_ms(100);
    CHECK(pool_acquire(pool, "a test", &lease));
    CHECK_INT(validations, 1);
    CHECK_INT(((struct resource *)lease.resource)->number, 1);
    ((struct resource *)lease.resource)->bad = true;
    pool_release(&lease, true);
    pass_ms(100);
    CHECK(pool_acquire(pool, "a test", &lease)); // it fails, and the borrower does not notice
    CHECK_INT(validations, 2);
    CHECK_INT(((struct resource *)lease.resource)->number, 2);
    pool_release(&lease, true);
    CHECK_INT(stats_of(pool).closed[POOL_INVALID], 1);
    expect_closed(pool);
}

TEST(pool_keeps_a_minimum_and_closes_the_rest)
{
    struct lease leases[5];
    struct pool_config config = resources_without_time(5);
    config.min = 2;
    config.idle_ms = 1000;
    struct pool *pool = new_pool(config);
    pool_tend(pool);
    CHECK_INT(stats_of(pool).idle, 2);
    for (int i = 0; i < 5; i++)
        CHECK(pool_acquire(pool, "a test", &leases[i]));
    for (int i = 0; i < 5; i++, pass_ms(100))
        pool_release(&leases[i], true); // the last one at 400, and now it is 500
    pass_ms(499);
    pool_tend(pool);
    CHECK_INT(stats_of(pool).idle, 5);
    pass_ms(1);
    pool_tend(pool);
    CHECK_INT(stats_of(pool).idle, 4);
    pass_ms(10000);
    pool_tend(pool);
    CHECK_INT(stats_of(pool).idle, 2); // those are kept, however long no thread wants them
    CHECK_INT(stats_of(pool).closed[POOL_IDLE], 3);
    CHECK(pool_acquire(pool, "a test", &leases[0]));
    pool_release(&leases[0], false);
    CHECK_INT(stats_of(pool).idle, 1);
    pool_tend(pool);
    CHECK_INT(stats_of(pool).idle, 2);
    expect_closed(pool);
}

// Of so many that were opened together, how many are closed in each 10 ms after 800 ms.
static void lifetimes(int jitter, int counts[30])
{
    enum { MANY = 200 };
    static struct lease leases[MANY];
    struct pool_config config = resources_without_time(MANY);
    config.lifetime_ms = 1000;
    config.jitter = jitter;
    struct pool *pool = new_pool(config);
    for (int i = 0; i < MANY; i++)
        CHECK(pool_acquire(pool, "a test", &leases[i]));
    for (int i = 0; i < MANY; i++)
        pool_release(&leases[i], true);
    pass_ms(790);
    pool_tend(pool);
    CHECK_INT(stats_of(pool).closed[POOL_OLD], 0);
    for (int i = 0, before = 0; i < 30; i++) {
        pass_ms(10);
        pool_tend(pool);
        counts[i] = (int)stats_of(pool).closed[POOL_OLD] - before;
        before += counts[i];
    }
    CHECK_INT(stats_of(pool).closed[POOL_OLD], MANY);
    expect_closed(pool);
}

TEST(pool_lifetimes_end_together_or_not)
{
    int counts[30], most = 0;
    lifetimes(0, counts);
    CHECK_INT(counts[20], 200); // all of them 1000 ms after they were opened
    lifetimes(20, counts);
    for (int i = 0; i < 30; i++)
        if (counts[i] > most)
            most = counts[i];
    CHECK_AT_MOST(most, 39);
    CHECK_INT(counts[29], 0);
}

TEST(pool_lends_nothing_that_is_too_old)
{
    struct lease lease;
    struct pool_config config = resources_without_time(1);
    config.lifetime_ms = 1000;
    struct pool *pool = new_pool(config);
    CHECK(pool_acquire(pool, "a test", &lease));
    pass_ms(2000); // its borrower keeps it
    CHECK_INT(resources_open, 1);
    pool_release(&lease, true);
    CHECK_INT(resources_open, 0);
    CHECK(pool_acquire(pool, "a test", &lease));
    pool_release(&lease, true);
    pass_ms(1000); // and pool_tend() is late
    CHECK(pool_acquire(pool, "a test", &lease));
    CHECK_INT(((struct resource *)lease.resource)->number, 3);
    pool_release(&lease, true);
    CHECK_INT(stats_of(pool).closed[POOL_OLD], 2);
    expect_closed(pool);
}

static char leak_reports[200];

static void note_leak(void *context, const char *who, double held_ms)
{
    (void)context;
    size_t length = strlen(leak_reports);
    snprintf(leak_reports + length, sizeof leak_reports - length, "%s %.0f, ", who, held_ms);
}

TEST(pool_reports_leaks_once)
{
    struct lease a, b;
    struct pool_config config = resources_without_time(2);
    config.leak_ms = 1000;
    config.leaked = note_leak;
    struct pool *pool = new_pool(config);
    CHECK(pool_acquire(pool, "forgetful", &a));
    pass_ms(600);
    CHECK(pool_acquire(pool, "slow", &b));
    pass_ms(600);
    pool_tend(pool);
    pool_tend(pool);
    CHECK(!strcmp(leak_reports, "forgetful 1200, "));
    pass_ms(400);
    pool_tend(pool);
    CHECK(!strcmp(leak_reports, "forgetful 1200, slow 1000, "));
    pool_release(&a, true);
    pool_release(&b, true);
    CHECK_INT(stats_of(pool).leaks, 2);
    expect_closed(pool);
}

// The same by the pool's own thread.
TEST(pool_keeps_itself_in_order)
{
    struct lease leases[4];
    struct pool_config config = resources(4);
    config.min = 2;
    config.idle_ms = 60;
    config.lifetime_ms = 400;
    config.jitter = 50;
    config.leak_ms = 50;
    config.leaked = note_leak;
    struct pool *pool = new_pool(config);
    CHECK(await(pool, 0, 2, 0));
    for (int i = 0; i < 4; i++)
        CHECK(pool_acquire(pool, "me", &leases[i]));
    while (stats_of(pool).leaks < 4)
        sleep_ms(1);
    pool_release(&leases[0], false); // broken; and three are left
    pool_release(&leases[1], false);
    pool_release(&leases[2], false); // one is left: another is opened
    CHECK(await(pool, 1, 1, 0));
    pool_release(&leases[3], true);
    while (stats_of(pool).closed[POOL_OLD] < 4) // which is when all were replaced twice
        sleep_ms(1);
    CHECK(await(pool, 0, 2, 0));
    expect_closed(pool);
}

// ---- opening fails, or takes long ----------------------------------------------------------

TEST(pool_open_that_fails)
{
    struct lease lease;
    struct pool_config config = resources_without_time(4);
    config.retry_ms = 100;
    struct pool *pool = new_pool(config);
    no_resource = true;
    for (int i = 0; i < 1000; i++) {
        CHECK(!pool_acquire(pool, "a test", &lease));
        CHECK_INT(lease.result, POOL_OPEN_FAILED);
        CHECK(!strcmp(lease.error, "cannot open: out of resources"));
    }
    CHECK_INT(opens_tried, 1); // the other 999 did not try
    pass_ms(100);
    CHECK(!pool_acquire(pool, "a test", &lease));
    CHECK_INT(opens_tried, 2);
    no_resource = false;
    CHECK(!pool_acquire(pool, "a test", &lease));
    pass_ms(100);
    CHECK(pool_acquire(pool, "a test", &lease));
    pool_release(&lease, true);
    CHECK_INT(stats_of(pool).failed, 2);
    expect_closed(pool);
}

// A resource is out and may come back: no thread in line gives up because an open has failed.
TEST(pool_line_outlives_a_failure)
{
    struct lease first, second;
    struct borrower borrowers[THREADS] = {0};
    pthread_t threads[THREADS];
    struct pool_config config = resources(2);
    config.retry_ms = 1000000;
    struct pool *pool = new_pool(config);
    CHECK(pool_acquire(pool, "a test", &first));
    no_resource = true;
    CHECK(!pool_acquire(pool, "a test", &second));
    line_up(pool, borrowers, threads, THREADS);
    CHECK_INT(opens_tried, 2);
    pool_release(&first, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(borrowers[i].order, i + 1);
    }
    expect_closed(pool);
}

// Nothing is out any more, so nothing can come back: then all get the reason, and only one
// tries.
TEST(pool_line_hears_why_there_is_nothing)
{
    struct lease first;
    struct borrower borrowers[THREADS] = {0};
    pthread_t threads[THREADS];
    struct pool_config config = resources(1);
    config.retry_ms = 1000000;
    struct pool *pool = new_pool(config);
    CHECK(pool_acquire(pool, "a test", &first));
    line_up(pool, borrowers, threads, THREADS);
    no_resource = true;
    pool_release(&first, false);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(borrowers[i].lease.result, POOL_OPEN_FAILED);
        CHECK(!strcmp(borrowers[i].lease.error, "cannot open: out of resources"));
    }
    CHECK_INT(opens_tried, 2);
    expect_closed(pool);
}

// Opening works again: the threads in line get resources although none is returned.
TEST(pool_line_is_served_after_a_failure)
{
    struct lease first, second;
    struct borrower borrowers[THREADS] = {0};
    pthread_t threads[THREADS];
    struct pool_config config = resources(2);
    config.retry_ms = 20;
    struct pool *pool = new_pool(config);
    CHECK(pool_acquire(pool, "a test", &first));
    no_resource = true;
    CHECK(!pool_acquire(pool, "a test", &second));
    no_resource = false;
    for (int i = 0; i < THREADS; i++) {
        borrowers[i].pool = pool;
        CHECK_INT(pthread_create(&threads[i], NULL, borrow, &borrowers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(borrowers[i].lease.result, POOL_OK);
    }
    pool_release(&first, true);
    expect_closed(pool);
}

TEST(pool_slow_open_delays_no_other_thread)
{
    struct lease lease;
    struct borrower slow = {0};
    pthread_t thread;
    struct pool *pool = new_pool(resources(2));
    CHECK(pool_acquire(pool, "a test", &lease));
    slow.pool = pool;
    gate_shut = true;
    CHECK_INT(pthread_create(&thread, NULL, borrow, &slow), 0);
    while (opens_tried < 2)
        sleep_ms(1);
    for (int i = 0; i < 1000; i++) {
        pool_release(&lease, true);
        CHECK(pool_acquire(pool, "a test", &lease));
    }
    CHECK_INT(stats_of(pool).opening, 1);
    gate_shut = false;
    pthread_join(thread, NULL);
    CHECK_INT(slow.order, 1);
    pool_release(&lease, true);
    expect_closed(pool);
}

#endif
