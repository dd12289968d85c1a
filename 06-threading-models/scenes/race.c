// race.c: two threads add to one number: how much is lost, and what it costs to lose nothing.
// And two locks that stop two threads for ever.
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "claim.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define THREADS        4
#define STEPS          100
#define INCREMENTS     10000  // of each thread in a step; all threads begin a step together
#define TRIES_MAX      9      // a race happens by chance: each try has steps twice as long
#define SAFE_TRIES_MAX 4      // the same for a way that is safe: a mutex takes long
#define PATIENCE_MS    100    // thread 1 waits so long for the second lock
#define TRANSFERS      100000 // of each thread, with the locks in order

// ---- four ways to count --------------------------------------------------------------------

static struct {
    volatile uint64_t plain;
    uint64_t guarded;
    pthread_mutex_t mutex;
    atomic_uint_fast64_t atomic;
    struct {
        _Alignas(64) uint64_t count; // a cache line for each thread
    } shards[THREADS];
} counters = {.mutex = PTHREAD_MUTEX_INITIALIZER};

// The race, on purpose: two threads read the same number, both write the next one, and one of
// the two additions is lost. The thread sanitizer does not check this one function.
__attribute__((noinline, no_sanitize("thread"))) static void add_plain(int thread, int times)
{
    (void)thread;
    for (int i = 0; i < times; i++) {
        uint64_t number = counters.plain;
        counters.plain = number + 1;
    }
}

static void add_guarded(int thread, int times)
{
    (void)thread;
    for (int i = 0; i < times; i++) {
        pthread_mutex_lock(&counters.mutex);
        counters.guarded++;
        pthread_mutex_unlock(&counters.mutex);
    }
}

static void add_atomic(int thread, int times)
{
    (void)thread;
    for (int i = 0; i < times; i++)
        atomic_fetch_add(&counters.atomic, 1);
}

static void add_sharded(int thread, int times)
{
    volatile uint64_t *count = &counters.shards[thread].count;
    for (int i = 0; i < times; i++)
        *count = *count + 1;
}

static uint64_t sum_plain(void)
{
    return counters.plain;
}

static uint64_t sum_guarded(void)
{
    return counters.guarded;
}

static uint64_t sum_atomic(void)
{
    return atomic_load(&counters.atomic);
}

static uint64_t sum_sharded(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < THREADS; i++)
        sum += counters.shards[i].count;
    return sum;
}

static struct way {
    const char *name;
    void (*add)(int thread, int times);
    uint64_t (*sum)(void);
    int tries;
    uint64_t wanted, lost;
    double cpu_ns; // for all increments
} ways[] = {{"number = number + 1", add_plain, sum_plain, 0, 0, 0, 0},
            {"the same, behind a mutex", add_guarded, sum_guarded, 0, 0, 0, 0},
            {"an atomic addition", add_atomic, sum_atomic, 0, 0, 0, 0},
            {"a number for each thread", add_sharded, sum_sharded, 0, 0, 0, 0}};

enum { PLAIN_WAY, MUTEX_WAY, ATOMIC_WAY, SHARDED_WAY, WAYS };

struct counting {
    pthread_t thread;
    int number; // of the thread
    int times;  // increments of a step
    const struct way *way;
    pthread_barrier_t *start;
    int64_t cpu_ns;
};

static void *count(void *argument)
{
    struct counting *c = argument;
    for (int i = 0; i < STEPS; i++) {
        pthread_barrier_wait(c->start);
        int64_t began_ns = thread_cpu_ns();
        c->way->add(c->number, c->times);
        c->cpu_ns += thread_cpu_ns() - began_ns;
    }
    return NULL;
}

// All threads count at once.
static void try_way(struct way *way)
{
    struct counting counting[THREADS];
    pthread_barrier_t start;
    int times = INCREMENTS << way->tries;
    uint64_t before = way->sum(), wanted = (uint64_t)THREADS * STEPS * (uint64_t)times;
    if (pthread_barrier_init(&start, NULL, THREADS))
        die("no barrier");
    for (int i = 0; i < THREADS; i++) {
        counting[i] =
            (struct counting){.number = i, .times = times, .way = way, .start = &start};
        if (pthread_create(&counting[i].thread, NULL, count, &counting[i]))
            die("no thread %d", i + 1);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(counting[i].thread, NULL);
        way->cpu_ns += (double)counting[i].cpu_ns;
    }
    pthread_barrier_destroy(&start);
    way->tries++;
    way->wanted += wanted;
    way->lost += wanted - (way->sum() - before);
}

// ---- two locks -----------------------------------------------------------------------------

// Two accounts, and a lock for each. Thread 1 moves money from A to B, thread 2 from B to A.
struct bank {
    pthread_mutex_t a, b;
    pthread_barrier_t both_have_one;
    long in_a, in_b;
};

static void bank_open(struct bank *bank)
{
    bank->in_a = bank->in_b = TRANSFERS;
    if (pthread_mutex_init(&bank->a, NULL) || pthread_mutex_init(&bank->b, NULL) ||
        pthread_barrier_init(&bank->both_have_one, NULL, 2))
        die("no locks");
}

static void bank_close(struct bank *bank)
{
    pthread_mutex_destroy(&bank->a);
    pthread_mutex_destroy(&bank->b);
    pthread_barrier_destroy(&bank->both_have_one);
}

// Thread 2 first locks the account from which it takes money. It would wait for ever.
static void *take_from_b(void *argument)
{
    struct bank *bank = argument;
    pthread_mutex_lock(&bank->b);
    pthread_barrier_wait(&bank->both_have_one);
    pthread_mutex_lock(&bank->a);
    bank->in_b--, bank->in_a++;
    pthread_mutex_unlock(&bank->a);
    pthread_mutex_unlock(&bank->b);
    return NULL;
}

// Thread 1 does so too, but it limits how long it waits. True: there was a deadlock, and thread
// 1 has ended it.
static bool meet_deadlock(struct bank *bank)
{
    pthread_t other;
    struct timespec limit;
    pthread_mutex_lock(&bank->a);
    story_event("has the lock of A");
    if (pthread_create(&other, NULL, take_from_b, bank))
        die("no second thread");
    pthread_barrier_wait(&bank->both_have_one);
    story_event_right("has the lock of B, and waits for A");
    story_event("waits for B: neither can go on");
    clock_gettime(CLOCK_REALTIME, &limit); // pthread_mutex_timedlock() goes by this clock
    limit.tv_nsec += PATIENCE_MS * 1000000;
    limit.tv_sec += limit.tv_nsec / 1000000000;
    limit.tv_nsec %= 1000000000;
    bool dead = pthread_mutex_timedlock(&bank->b, &limit) == ETIMEDOUT;
    if (dead) {
        story_event("ETIMEDOUT: gives A back");
    } else {
        story_event("has B, too");
        pthread_mutex_unlock(&bank->b);
    }
    pthread_mutex_unlock(&bank->a);
    pthread_join(other, NULL);
    story_event_right("has got A, and is done");
    return dead;
}

// Locks A first, although the money goes from B to A.
static void *transfer_in_order(void *argument)
{
    struct bank *bank = argument;
    for (int i = 0; i < TRANSFERS; i++) {
        pthread_mutex_lock(&bank->a);
        pthread_mutex_lock(&bank->b);
        bank->in_b--, bank->in_a++;
        pthread_mutex_unlock(&bank->b);
        pthread_mutex_unlock(&bank->a);
    }
    return NULL;
}

// True: all transfers were made, and no money is lost.
static bool keep_order(struct bank *bank)
{
    pthread_t other;
    long in_a = bank->in_a, sum = bank->in_a + bank->in_b;
    if (pthread_create(&other, NULL, transfer_in_order, bank))
        die("no second thread");
    for (int i = 0; i < TRANSFERS; i++) {
        pthread_mutex_lock(&bank->a);
        pthread_mutex_lock(&bank->b);
        bank->in_a--, bank->in_b++;
        pthread_mutex_unlock(&bank->b);
        pthread_mutex_unlock(&bank->a);
    }
    pthread_join(other, NULL);
    return bank->in_a == in_a && bank->in_a + bank->in_b == sum;
}

// ---- the scene -----------------------------------------------------------------------------

static const struct claim lost_updates = {
    "6.6", "guide §6", "unsynchronised counters lose updates; a mutex fixes it", HOLDS, NULL};
static const struct claim deadlocks = {
    "6.9", "guide §6", "locks can cause deadlocks: threads wait for each other", HOLDS, NULL};

static void show_ways(void)
{
    char title[80];
    snprintf(title, sizeof title, "%d threads|wanted|counted|lost|lost|time each", THREADS);
    story_head(title);
    for (int i = 0; i < WAYS; i++) {
        const struct way *way = &ways[i];
        story_row(
            "%s|%llu|%llu|%llu|%.1f %%|%.1f ns", way->name, (unsigned long long)way->wanted,
            (unsigned long long)(way->wanted - way->lost), (unsigned long long)way->lost,
            100 * (double)way->lost / (double)way->wanted, way->cpu_ns / (double)way->wanted);
    }
}

void scene_race(void)
{
    static struct bank crossed, ordered; // two, so that each has seen only its own order
    story_say("Each thread adds one to the same number, again and again.");
    do
        try_way(&ways[PLAIN_WAY]);
    while (!ways[PLAIN_WAY].lost && ways[PLAIN_WAY].tries < TRIES_MAX);
    // As many increments as the race needed, so that another one would be seen, too.
    for (int i = MUTEX_WAY; i < WAYS; i++)
        do
            try_way(&ways[i]);
        while (ways[i].tries < ways[PLAIN_WAY].tries && ways[i].tries < SAFE_TRIES_MAX);
    show_ways();
    uint64_t others = ways[MUTEX_WAY].lost + ways[ATOMIC_WAY].lost + ways[SHARDED_WAY].lost;

    story_say("");
    story_say(
        "Two accounts, a lock for each. Thread 1 moves money from A to B, thread 2 from B to "
        "A. Each first locks the account from which it takes money.");
    bank_open(&crossed);
    bank_open(&ordered);
    story_timeline_of("thread 1", "thread 2");
    bool dead = meet_deadlock(&crossed);
    story_quiet(true);
    int64_t began_ns = now_ns();
    bool in_order = keep_order(&ordered);
    double ms = (double)(now_ns() - began_ns) / 1e6;
    bank_close(&crossed);
    bank_close(&ordered);
    story_say("If both lock A before B: 2 x %d transfers in %.0f ms, without a deadlock.",
              TRANSFERS, ms);
    claim_report(&lost_updates, holds_if(ways[PLAIN_WAY].lost > 0 && others == 0),
                 "%llu of %llu lost; with a mutex, an atomic addition, or a number for each: "
                 "%llu",
                 (unsigned long long)ways[PLAIN_WAY].lost,
                 (unsigned long long)ways[PLAIN_WAY].wanted, (unsigned long long)others);
    const char *crossed_locks = "two threads, two locks, two orders, and no deadlock";
    if (dead)
        crossed_locks = "two threads, two locks, two orders: stuck, until one gives up";
    claim_report(&deadlocks, holds_if(dead && in_order),
                 "%s; with the locks always in one order: none in %d transfers, and the sum is "
                 "right",
                 crossed_locks, 2 * TRANSFERS);
}
