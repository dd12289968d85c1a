// test_parts.h: tests of the parts of the server that need no socket.
#ifndef TEST_PARTS_H
#define TEST_PARTS_H

#include <pthread.h>
#include <sys/resource.h>

#include "counters.h"
#include "queue.h"
#include "request.h"
#include "sanitized.h"
#include "test.h"

TEST(requests_are_understood)
{
    static const char text[] = "HEAD /io?ms=250 HTTP/1.1\r\nHost: h\r\n\r\nGET";
    struct http_server http = {.content_max = 0};
    struct request request;
    for (size_t length = 0; length < sizeof text - 4; length++)
        CHECK_INT((long)request_read(&http, text, length, &request), 0);
    CHECK_INT((long)request_read(&http, text, sizeof text - 1, &request), sizeof text - 4);
    CHECK_INT(request.route, IO);
    CHECK_INT(request.ms, 250);
    CHECK(http.head_only);
    CHECK(http.keep_alive);
}

// Whatever else it is: what fills all the room there is is answered.
TEST(requests_have_an_end)
{
    static char text[REQUEST_BYTES];
    struct http_server http = {.content_max = 0};
    struct request request;
    memset(text, '\r', sizeof text);
    strcpy(text, "GET / HTTP/1.1\r\n");
    for (size_t at = 16; at + 200 < sizeof text; at += 200)
        memset(memset(text + at, 'x', 200), 'y', 100), memcpy(text + at + 198, "\r\n", 2);
    CHECK_INT(request_read(&http, text, sizeof text, &request), sizeof text);
    CHECK(!http.keep_alive);
}

#define ITEMS   20000
#define PUTTERS 3
#define TAKERS  3

static struct queue queue;
static bool taken[PUTTERS * ITEMS + 1];
static int numbers[PUTTERS * ITEMS + 1];

static void *put_all(void *argument)
{
    bool first;
    for (int *item = argument, *end = item + ITEMS; item < end; item++) {
        while (!queue_put(&queue, item, &first))
            sched_yield();
        queue_wake(&queue);
    }
    return NULL;
}

static void *take_all(void *argument)
{
    long *count = argument;
    for (int *item; (item = queue_take(&queue)); ++*count)
        taken[item - numbers] = true;
    return NULL;
}

TEST(a_queue_loses_nothing)
{
    pthread_t putters[PUTTERS], takers[TAKERS];
    long counts[TAKERS] = {0}, sum = 0;
    CHECK(queue_open(&queue, 7, TAKERS));
    for (int i = 0; i < TAKERS; i++)
        CHECK(!pthread_create(&takers[i], NULL, take_all, &counts[i]));
    for (int i = 0; i < PUTTERS; i++)
        CHECK(!pthread_create(&putters[i], NULL, put_all, numbers + i * ITEMS));
    for (int i = 0; i < PUTTERS; i++)
        pthread_join(putters[i], NULL);
    queue_close(&queue);
    for (int i = 0; i < TAKERS; i++)
        pthread_join(takers[i], NULL);
    for (int i = 0; i < TAKERS; i++)
        sum += counts[i];
    CHECK_INT(sum, PUTTERS * ITEMS);
    CHECK(!memchr(taken, false, PUTTERS * ITEMS));
    CHECK(!queue_try(&queue));
    queue_free(&queue);
}

#define WAITERS 8
#define ROUNDS  50

// Takes items, and counts how often this thread went to sleep.
static void *take_and_sleep(void *argument)
{
    struct rusage usage;
    long *sleeps = argument;
    while (queue_take(&queue))
        ;
    getrusage(RUSAGE_THREAD, &usage);
    *sleeps = usage.ru_nvcsw;
    return NULL;
}

// If each item woke all threads that wait, there were WAITERS times as many sleeps.
TEST(an_item_wakes_one_thread)
{
    pthread_t waiters[WAITERS];
    long sleeps[WAITERS], sum = 0;
    bool first;
    CHECK(queue_open(&queue, ROUNDS, WAITERS));
    for (int i = 0; i < WAITERS; i++)
        CHECK(!pthread_create(&waiters[i], NULL, take_and_sleep, &sleeps[i]));
    for (int i = 0; i < ROUNDS; i++) {
        sleep_ms(2); // most of them wait by now
        CHECK(queue_put(&queue, numbers, &first));
        queue_wake(&queue);
    }
    queue_close(&queue);
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(waiters[i], NULL);
        sum += sleeps[i];
    }
    if (!SANITIZED) // a sanitizer's own locks make threads sleep as well
        CHECK(sum < ROUNDS * WAITERS / 2);
    queue_free(&queue);
}

static atomic_int holders;

// Takes one item, and stays with it until each thread has one.
static void *take_and_stay(void *unused)
{
    (void)unused;
    if (queue_take(&queue))
        atomic_fetch_add(&holders, 1);
    for (int i = 0; i < 1000 && atomic_load(&holders) < WAITERS; i++)
        sleep_ms(5);
    return NULL;
}

static bool all_wait(void)
{
    pthread_mutex_lock(&queue.mutex);
    bool all = queue.waiting == WAITERS;
    pthread_mutex_unlock(&queue.mutex);
    return all;
}

// Each thread that waits gets an item, however many are put while the first one wakes up; and
// what is for them takes no place of those that have to wait.
TEST(each_item_has_a_thread)
{
    pthread_t waiters[WAITERS];
    bool first;
    atomic_store(&holders, 0);
    CHECK(queue_open(&queue, 1, WAITERS));
    for (int i = 0; i < WAITERS; i++)
        CHECK(!pthread_create(&waiters[i], NULL, take_and_stay, NULL));
    for (int i = 0; i < 1000 && !all_wait(); i++)
        sleep_ms(5);
    for (int i = 0; i < WAITERS + 1; i++)
        CHECK(queue_put(&queue, numbers, &first));
    CHECK(!queue_put(&queue, numbers, &first));
    queue_wake(&queue);
    for (int i = 0; i < 1000 && atomic_load(&holders) < WAITERS; i++)
        sleep_ms(5);
    CHECK_INT(atomic_load(&holders), WAITERS);
    queue_close(&queue);
    for (int i = 0; i < WAITERS; i++)
        pthread_join(waiters[i], NULL);
    queue_free(&queue);
}

TEST(a_queue_is_bounded_and_in_order)
{
    struct queue small;
    bool first;
    CHECK(queue_open(&small, 3, 0));
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++) {
            CHECK(queue_put(&small, &numbers[i], &first));
            CHECK_INT(first, i == 0);
        }
        CHECK(!queue_put(&small, &numbers[3], &first));
        for (int i = 0; i < 3; i++)
            CHECK(queue_try(&small) == &numbers[i]);
        CHECK(!queue_try(&small));
    }
    queue_close(&small);
    CHECK(!queue_take(&small));
    queue_free(&small);
}

static void *count(void *argument)
{
    (void)argument;
    count_plain(ITEMS); // the thread sanitizer looks away
    count_mutex(ITEMS);
    count_atomic(ITEMS);
    return NULL;
}

TEST(counters_count)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK(!pthread_create(&threads[i], NULL, count, NULL));
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK_BETWEEN(count_plain(0), ITEMS, 4 * ITEMS);
    CHECK_INT((long)count_mutex(1), 4 * ITEMS + 1);
    CHECK_INT((long)count_atomic(1), 4 * ITEMS + 1);
}

#endif
