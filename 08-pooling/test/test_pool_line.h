// test_pool_line.h: tests of the pool with many threads: who is first, who is cancelled, who is
// sent away when it closes.
#ifndef TEST_POOL_LINE_H
#define TEST_POOL_LINE_H

#include "test_things.h"

// ---- the line ------------------------------------------------------------------------------

TEST(pool_first_come_first_served)
{
    struct lease lease;
    struct borrower borrowers[THREADS] = {0};
    pthread_t threads[THREADS];
    struct pool *pool = new_pool(things(1));
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

TEST(pool_broken_things_are_replaced_for_the_line)
{
    struct lease lease;
    struct borrower borrowers[THREADS] = {0};
    pthread_t threads[THREADS];
    struct pool *pool = new_pool(things(1));
    CHECK(pool_acquire(pool, "a test", &lease));
    line_up(pool, borrowers, threads, THREADS);
    pool_release(&lease, false);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(borrowers[i].order, i + 1);
    }
    CHECK_INT(things_made, 2);
    CHECK_INT(things_most, 1);
    expect_closed(pool);
}

TEST(pool_patience_ends)
{
    struct lease lease;
    struct borrower late = {0};
    pthread_t thread;
    struct pool_config config = things(1);
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

TEST(pool_waiting_threads_can_be_cancelled)
{
    struct lease lease;
    struct borrower borrowers[THREADS] = {0};
    pthread_t threads[THREADS];
    struct pool *pool = new_pool(things(1));
    CHECK(pool_acquire(pool, "a test", &lease));
    line_up(pool, borrowers, threads, THREADS);
    for (int i = 0; i < THREADS; i += 2) {
        void *result;
        pthread_cancel(threads[i]);
        pthread_join(threads[i], &result);
        CHECK(result == PTHREAD_CANCELED);
    }
    CHECK_INT(stats_of(pool).waiting, THREADS / 2);
    pool_release(&lease, true);
    for (int i = 1; i < THREADS; i += 2) {
        pthread_join(threads[i], NULL);
        CHECK_INT(borrowers[i].order, i / 2 + 1);
    }
    CHECK(await(pool, 0, 1, 0));
    expect_closed(pool);
}

// Cancelled in the very moment in which they are served: nothing gets lost.
TEST(pool_cancelled_while_it_is_served)
{
    struct lease lease;
    struct pool *pool = new_pool(things(1));
    for (int i = 0; i < 500; i++) {
        struct borrower borrowers[2] = {{.keeps = true}, {.keeps = true}};
        pthread_t threads[2];
        CHECK(pool_acquire(pool, "a test", &lease));
        line_up(pool, borrowers, threads, 2);
        if (i & 1)
            pthread_cancel(threads[0]);
        pool_release(&lease, i & 2); // a thing, or a place for one
        if (!(i & 1))
            pthread_cancel(threads[0]);
        if (i & 4)
            sched_yield();
        pthread_cancel(threads[1]);
        for (int j = 0; j < 2; j++) {
            void *result;
            pthread_join(threads[j], &result);
            if (result != PTHREAD_CANCELED && borrowers[j].lease.thing)
                pool_release(&borrowers[j].lease, true);
        }
        struct pool_stats stats = stats_of(pool);
        CHECK(stats.active == 0 && stats.waiting == 0 && stats.idle <= 1 && !stats.opening);
    }
    expect_closed(pool);
}

// ---- closing -------------------------------------------------------------------------------

TEST(pool_close_waits_for_what_is_out)
{
    char text[100];
    struct lease a, b, c;
    struct pool *pool = new_pool(things(3));
    CHECK(pool_acquire(pool, "first", &a));
    CHECK(pool_acquire(pool, "second", &b));
    CHECK(pool_acquire(pool, "third", &c));
    pool_release(&c, true);
    CHECK_INT(pool_close(pool, 20), 2);
    CHECK_INT(things_open, 2); // the idle one is closed
    CHECK_INT(pool_holders(pool, text, sizeof text), 2);
    CHECK_HAS(text, "first for 0.");
    CHECK_HAS(text, ", second for 0.");
    CHECK(!pool_acquire(pool, "late", &c));
    CHECK(c.result == POOL_SHUT && !strcmp(c.error, "the pool is closed"));
    pool_release(&a, true);
    CHECK_INT(things_open, 1);
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
    struct pool *pool = new_pool(things(1));
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

// What it was given in the last moment is closed, too.
TEST(pool_close_while_a_waiting_thread_is_cancelled)
{
    struct lease lease;
    for (int i = 0; i < 300; i++) {
        struct borrower borrower = {.keeps = false};
        pthread_t thread;
        struct pool *pool = new_pool(things(1));
        CHECK(pool_acquire(pool, "a test", &lease));
        line_up(pool, &borrower, &thread, 1);
        if (i & 1)
            pthread_cancel(thread);
        pool_release(&lease, true);
        pthread_cancel(thread);
        expect_closed(pool);
        pthread_join(thread, NULL);
    }
}

TEST(pool_close_while_one_is_opened)
{
    struct borrower slow = {0};
    pthread_t thread;
    struct pool *pool = new_pool(things(2));
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
        struct thing *thing = lease.thing;
        if (++thing->users != 1)
            abort(); // two have the same
        if (random >> 28 == 0)
            sched_yield();
        thing->users--;
        pool_release(&lease, random >> 16 & 31);
    }
    return NULL;
}

TEST(pool_never_lends_a_thing_twice_nor_too_many)
{
    struct borrower borrower;
    pthread_t threads[THREADS];
    struct pool_config config = things(4);
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
        no_thing = i % 4 == 3; // now and then
        struct pool_stats now = stats_of(pool);
        CHECK(now.active + now.idle + now.opening + now.closing <= 4);
    }
    no_thing = false;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    struct pool_stats stats = stats_of(pool);
    CHECK(stats.active == 0 && stats.waiting == 0);
    CHECK(stats.most <= 4 && things_most <= 4);
    CHECK(stats.closed[POOL_BROKEN] > 0);
    expect_closed(pool);
}

#endif
