// test_pool_line.h: tests of the pool with many threads: which thread is first, which is
// sent away when it closes.
#ifndef TEST_POOL_LINE_H
#define TEST_POOL_LINE_H

#include "test_resources.h"

// ---- the line ------------------------------------------------------------------------------

TEST(pool_first_come_first_served)
{
    struct lease lease;
    struct borrower borrowers[THREADS] = {0};
    pthread_t threads[THREADS];
    struct pool *pool = new_pool(resources(1));
    CHECK(pool_acquire(pool, "a test", &lease));
    line_up(pool, borrowers, threads, THREADS);
    // This thread returns it and wants it back at once. It runs, and the others sleep; still
    // it is the last.
    pool_release(&lease, true);
    CHECK(pool_acquire(pool, "a test", &lease));
    CHECK_INT(served, THREADS);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(borrowers[i].order, i + 1);
    }
    CHECK(pool_wait_ms(&(struct pool_stats){.waits = {6, 0, 0, 2, 2}}, 0.7) == 0.008);
    CHECK(pool_wait_ms(&(struct pool_stats){.waits = {6, 0, 0, 2, 2}}, 0.5) == 0);
    pool_release(&lease, true);
    expect_closed(pool);
}

TEST(pool_broken_resources_are_replaced_for_the_line)
{
    struct lease lease;
    struct borrower borrowers[THREADS] = {0};
    pthread_t threads[THREADS];
    struct pool *pool = new_pool(resources(1));
    CHECK(pool_acquire(pool, "a test", &lease));
    line_up(pool, borrowers, threads, THREADS);
    pool_release(&lease, false);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(borrowers[i].order, i + 1);
    }
    CHECK_INT(resources_made, 2);
    CHECK_INT(resources_most, 1);
    expect_closed(pool);
}

TEST(pool_patience_ends)
{
    struct lease lease;
    struct borrower late = {0};
    pthread_t thread;
    struct pool_config config = resources(1);
    config.acquire_ms = 50;
    struct pool *pool = new_pool(config);
    CHECK(pool_acquire(pool, "a test", &lease));
    late.pool = pool;
    int64_t start_ns = now_ns();
    CHECK_INT(pthread_create(&thread, NULL, borrow, &late), 0);
    pthread_join(thread, NULL);
    CHECK(now_ns() - start_ns >= 50 * INT64_C(1000000));
    CHECK_INT(late.lease.result, POOL_TIMEOUT);
    CHECK_INT(stats_of(pool).waiting, 0);
    pool_release(&lease, true);
    CHECK(pool_acquire(pool, "a test", &lease)); // the line is empty again
    pool_release(&lease, true);
    expect_closed(pool);
}

// ---- what hangs ----------------------------------------------------------------------------

// After an open that failed one borrower alone tries again. A validation that hangs is no such
// try.
TEST(pool_opens_although_a_validation_hangs)
{
    struct lease held, other;
    struct borrower asks = {0};
    pthread_t thread;
    struct pool_config config = resources(3);
    config.validate_ms = 0;
    struct pool *pool = new_pool(config);
    CHECK(pool_acquire(pool, "a test", &held));
    CHECK(pool_acquire(pool, "a test", &other));
    pool_release(&other, true);
    no_resource = check_hangs = true;
    validations = 0;
    asks.pool = pool;
    CHECK_INT(pthread_create(&thread, NULL, borrow, &asks), 0); // is asked, and hangs
    while (validations < 1)
        sleep_ms(1);
    CHECK(!pool_acquire(pool, "a test", &other));
    CHECK_INT(other.result, POOL_OPEN_FAILED);
    no_resource = false;
    CHECK(pool_acquire(pool, "a test", &other)); // retry_ms is 0: at once
    check_hangs = false;
    pthread_join(thread, NULL);
    pool_release(&other, true);
    pool_release(&held, true);
    expect_closed(pool);
}

// An open to `min` that hangs does not hold up the rest of what a pool does by itself.
TEST(pool_reports_a_leak_although_an_open_hangs)
{
    struct lease kept, broken;
    struct pool_config config = resources(4);
    config.min = 2;
    config.leak_ms = 20;
    struct pool *pool = new_pool(config);
    CHECK(await(pool, 0, 2, 0));
    CHECK(pool_acquire(pool, "a test", &kept));
    CHECK(pool_acquire(pool, "a test", &broken));
    gate_shut = true;
    opens_tried = 0;
    pool_release(&broken, false); // fewer than `min`: the pool opens another, and hangs
    while (opens_tried < 1)
        sleep_ms(1);
    for (int ms = 0; ms < AWAIT_MS && stats_of(pool).leaks == 0; ms++)
        sleep_ms(1);
    CHECK_INT(stats_of(pool).leaks, 1);
    CHECK_INT(stats_of(pool).opening, 1);
    gate_shut = false;
    pool_release(&kept, true);
    expect_closed(pool);
}

// ---- closing -------------------------------------------------------------------------------

TEST(pool_close_waits_for_what_is_out)
{
    char text[100];
    struct lease a, b, c;
    struct pool *pool = new_pool(resources(3));
    CHECK(pool_acquire(pool, "first", &a));
    CHECK(pool_acquire(pool, "second", &b));
    CHECK(pool_acquire(pool, "third", &c));
    pool_release(&c, true);
    CHECK_INT(pool_close(pool, 20), 2);
    CHECK_INT(resources_open, 2); // the idle one is closed
    CHECK_INT(pool_holders(pool, text, sizeof text), 2);
    CHECK_HAS(text, "first for 0.");
    CHECK_HAS(text, ", second for 0.");
    CHECK(!pool_acquire(pool, "late", &c));
    CHECK_INT(c.result, POOL_SHUT);
    CHECK_TEXT(c.error, "the pool is closed");
    pool_release(&a, true);
    CHECK_INT(resources_open, 1);
    CHECK_INT(pool_close(pool, 20), 1);
    pool_release(&b, true);
    expect_closed(pool);
}

static void *return_later(void *argument)
{
    sleep_ms(30);
    pool_release(argument, true);
    return NULL;
}

TEST(pool_close_sends_the_line_away)
{
    struct lease lease;
    struct borrower borrowers[THREADS] = {0};
    pthread_t threads[THREADS], returns;
    struct pool *pool = new_pool(resources(1));
    CHECK(pool_acquire(pool, "a test", &lease));
    line_up(pool, borrowers, threads, THREADS);
    CHECK_INT(pthread_create(&returns, NULL, return_later, &lease), 0);
    expect_closed(pool);
    pthread_join(returns, NULL);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(borrowers[i].lease.result, POOL_SHUT);
    }
}

TEST(pool_close_while_one_is_opened)
{
    struct borrower slow = {0};
    pthread_t thread;
    struct pool *pool = new_pool(resources(2));
    slow.pool = pool;
    gate_shut = true;
    CHECK_INT(pthread_create(&thread, NULL, borrow, &slow), 0);
    while (opens_tried < 1)
        sleep_ms(1);
    CHECK_INT(pool_close(pool, 10), 1);
    gate_shut = false;
    expect_closed(pool);
    pthread_join(thread, NULL);
    CHECK_INT(slow.lease.result, POOL_SHUT);
}

// ---- many threads --------------------------------------------------------------------------

#define ROUNDS 2000

static void *use_and_return(void *argument)
{
    struct borrower *borrower = argument;
    unsigned random = (unsigned)(uintptr_t)borrower;
    for (int i = 0; i < ROUNDS; i++) {
        struct lease lease;
        random = random * 1103515245 + 12345;
        if (!pool_acquire(borrower->pool, "user", &lease))
            continue; // an open failed, or the time was up
        struct resource *resource = lease.resource;
        if (++resource->users != 1)
            abort(); // two have the same
        if (random >> 28 == 0)
            sched_yield();
        resource->users--;
        pool_release(&lease, random >> 16 & 31);
    }
    return NULL;
}

TEST(pool_never_lends_a_thing_twice_nor_too_many)
{
    struct borrower borrower;
    pthread_t threads[THREADS];
    struct pool_config config = resources(4);
    config.min = 1;
    config.acquire_ms = 100;
    config.idle_ms = 5;
    config.lifetime_ms = 20;
    config.jitter = 50;
    config.validate_ms = 0;
    config.retry_ms = 1;
    struct pool *pool = borrower.pool = new_pool(config);
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, use_and_return, &borrower), 0);
    for (int i = 0; i < 20; i++) {
        sleep_ms(2);
        no_resource = i % 4 == 3; // now and then
        struct pool_stats now = stats_of(pool);
        CHECK(now.active + now.idle + now.opening + now.closing <= 4);
    }
    no_resource = false;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    struct pool_stats stats = stats_of(pool);
    CHECK_INT(stats.active, 0);
    CHECK_INT(stats.waiting, 0);
    CHECK_AT_MOST(stats.most, 4);
    CHECK_AT_MOST(resources_most, 4);
    CHECK(stats.closed[POOL_BROKEN] > 0);
    expect_closed(pool);
}

#endif
