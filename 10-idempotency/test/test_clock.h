// test_clock.h: tests of the server's store when the clock on the wall jumps.
#ifndef TEST_CLOCK_H
#define TEST_CLOCK_H

#include <sys/syscall.h>

#include "store.h"
#include "test_talk.h"

#define YEAR_MS   INT64_C(31536000000)
#define MINUTE_MS 60000

static int64_t clock_ahead_ms; // of the clock on the wall, in this process

// In place of libc's.
int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, id, now);
    if (id == CLOCK_REALTIME) {
        int64_t ns = now->tv_nsec + clock_ahead_ms % 1000 * 1000000;
        now->tv_sec += clock_ahead_ms / 1000 + ns / 1000000000;
        now->tv_nsec = ns % 1000000000;
    }
    return result;
}

static struct store clock_store;

static void ignore_settled(void *waiter, struct record *record)
{
    (void)waiter, (void)record;
}

static void open_store(void)
{
    clock_store = (struct store){
        .key_ttl_ms = 10 * MINUTE_MS, .waste_max = UINT64_MAX / 4, .settled = ignore_settled};
    CHECK(store_begin(&clock_store, journal_of_its_own()));
}

static struct http_text text(const char *word)
{
    return (struct http_text){word, strlen(word)};
}

// A charge that is on the disk.
static const struct record *keep_charge_of(const char *key)
{
    struct record *charge = record_new(CHARGE, text(key), text("tok_visa"));
    charge->amount = 5;
    CHECK(!store_take(&clock_store, charge));
    CHECK(store_add(&clock_store, charge));
    for (int i = 0; i < 1000 && !store_commit(&clock_store); i++)
        sleep_ms(1);
    CHECK_INT(charge->state, DURABLE);
    return charge;
}

static bool is_known(const char *key)
{
    return store_find_key(&clock_store, text(key));
}

static bool is_now(const struct record *charge)
{
    int64_t ago_ms = (int64_t)ulid_now_ms() - charge->created_ms;
    return ago_ms >= 0 && ago_ms < 30000;
}

// For a moment the clock is a year ahead. What is charged afterwards has the right time, and
// the keys expire as they should; the ids go on upwards.
TEST(a_jump_of_the_clock_does_no_lasting_harm)
{
    open_store();
    CHECK(is_now(keep_charge_of("before")));
    clock_ahead_ms = YEAR_MS;
    const struct record *ahead = keep_charge_of("ahead");
    CHECK(is_now(ahead));
    clock_ahead_ms = 0;
    const struct record *after = keep_charge_of("after");
    CHECK(is_now(after));
    CHECK(memcmp(ahead->id, after->id, ID_LENGTH) < 0);
    CHECK(is_known("ahead"));
    CHECK(is_known("after"));
    CHECK(ahead->created_ms > after->created_ms + YEAR_MS / 2); // what was answered stays
    clock_ahead_ms = 9 * MINUTE_MS;
    CHECK(is_known("ahead"));
    CHECK(is_known("after"));
    clock_ahead_ms = 11 * MINUTE_MS; // after the clock was right again
    CHECK(!is_known("ahead"));
    CHECK(!is_known("after"));
    CHECK_INT(clock_store.keys.count, 0);
    store_end(&clock_store);
}

// The same when the server ends before the clock is put right.
TEST(a_journal_from_the_future)
{
    clock_ahead_ms = YEAR_MS;
    open_store();
    for (const char *key = "123456789"; *key; key++)
        keep_charge_of(key);
    keep_charge_of("ahead");
    store_end(&clock_store);
    clock_ahead_ms = 0;
    open_store();
    CHECK_INT(clock_store.keys.count, 10);
    CHECK(is_known("ahead"));
    CHECK(is_now(keep_charge_of("after")));
    clock_ahead_ms = 9 * MINUTE_MS;
    CHECK(is_known("ahead"));
    CHECK(is_known("after"));
    clock_ahead_ms = 11 * MINUTE_MS;
    CHECK(!is_known("ahead"));
    CHECK(!is_known("after"));
    CHECK_INT(clock_store.keys.count, 0);
    store_end(&clock_store);
}

// A clock that was put back: nothing is forgotten earlier than it should be, nor much later.
TEST(a_clock_that_is_put_back)
{
    open_store();
    const struct record *first = keep_charge_of("first");
    clock_ahead_ms = -YEAR_MS;
    const struct record *second = keep_charge_of("second");
    CHECK(is_now(second));
    CHECK(memcmp(first->id, second->id, ID_LENGTH) < 0);
    clock_ahead_ms = -YEAR_MS + 9 * MINUTE_MS;
    CHECK(is_known("first"));
    CHECK(is_known("second"));
    clock_ahead_ms = -YEAR_MS + 20 * MINUTE_MS;
    CHECK(!is_known("first"));
    CHECK(!is_known("second"));
    store_end(&clock_store);
}

#endif
