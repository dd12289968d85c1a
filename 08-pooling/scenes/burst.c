// burst.c: many more borrowers than connections: in which order they are served, and which give
// up.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define CONNECTIONS    10
#define GROUPS         10 // of threads, for the bars
#define PATIENT_MS     60000
#define IMPATIENT_MS   100
#define PATIENT_ASKS   "slow 3"
#define IMPATIENT_ASKS "slow 50" // then not all of them have a turn within IMPATIENT_MS
#define QUERY_MS       10000
#define THREADS        1000

struct borrower {
    pthread_t thread;
    const char *query;
    bool comes_back;  // for a second turn, at once
    double waited_ms; // for the first
    struct lease lease;
};

static int threads = 200;
static struct borrower borrowers[THREADS];
static struct pool *pool;
static int64_t start_ns;     // when there was something to be had
static atomic_int had_first; // their first turns
static pthread_barrier_t all_there;
// The most borrowers that had no connection yet when another borrower had its second one.
static atomic_int behind;

void burst_of(int count)
{
    threads = count;
}

static void note_second_turn(void)
{
    int without = threads - had_first;
    for (int most = behind; without > most;)
        if (atomic_compare_exchange_weak(&behind, &most, without))
            break;
}

static void *borrow(void *argument)
{
    struct borrower *me = argument;
    if (!me->comes_back)
        pthread_barrier_wait(&all_there);
    bool got = pool_acquire(pool, "borrower", &me->lease);
    me->waited_ms = ms_since(start_ns);
    if (!got)
        return NULL;
    had_first++;
    struct db *db = me->lease.resource;
    if (!db_query(db, me->query, QUERY_MS))
        die("%s: %s", me->query, db->error.text);
    pool_release(&me->lease, true);
    if (me->comes_back && pool_acquire(pool, "borrower", &me->lease)) {
        note_second_turn();
        pool_release(&me->lease, true);
    }
    return NULL;
}

static void start(int number, const char *query, bool comes_back)
{
    borrowers[number] = (struct borrower){.query = query, .comes_back = comes_back};
    if (pthread_create(&borrowers[number].thread, NULL, borrow, &borrowers[number]))
        die("cannot start a thread");
}

static void make_pool(struct db_config *server, int acquire_ms)
{
    struct pool_config config = session_pool(server);
    config.max = CONNECTIONS;
    config.acquire_ms = acquire_ms;
    pool = new_pool(config);
}

static int waiting(void)
{
    struct pool_stats stats;
    pool_stats(pool, &stats);
    return stats.waiting;
}

// All connections are out, all threads come one after the other and wait; then the connections
// come back. Returns the pool's figures.
static struct pool_stats wait_patiently(struct db_config *server)
{
    struct lease held[CONNECTIONS];
    struct pool_stats stats;
    make_pool(server, PATIENT_MS);
    for (int i = 0; i < CONNECTIONS; i++)
        if (!pool_acquire(pool, "scene burst", &held[i]))
            die("%s", held[i].error);
    for (int i = 0; i < threads; i++) {
        start(i, PATIENT_ASKS, true);
        while (waiting() < i + 1)
            sched_yield();
    }
    start_ns = now_ns();
    for (int i = 0; i < CONNECTIONS; i++)
        pool_release(&held[i], true);
    for (int i = 0; i < threads; i++)
        pthread_join(borrowers[i].thread, NULL);
    pool_stats(pool, &stats);
    end_pool(pool);
    return stats;
}

static double longest_wait(void)
{
    double longest = 0;
    for (int i = 0; i < threads; i++)
        if (borrowers[i].waited_ms > longest)
            longest = borrowers[i].waited_ms;
    return longest;
}

static void show_waits(double longest_ms)
{
    for (int group = 0; group < GROUPS; group++) {
        int from = threads * group / GROUPS, to = threads * (group + 1) / GROUPS;
        char label[40];
        double sum = 0;
        for (int i = from; i < to; i++)
            sum += borrowers[i].waited_ms;
        snprintf(label, sizeof label, "number %d to %d", from + 1, to);
        story_bar(label, sum / (to - from), longest_ms, "%.0f ms", sum / (to - from));
    }
}

// The same borrowers with a short acquire_ms. Returns how many got nothing; *too_early: those
// that told so before their time was up, or not told why.
static int wait_impatiently(struct db_config *server, int *too_early)
{
    int without = 0;
    *too_early = 0;
    make_pool(server, IMPATIENT_MS);
    pthread_barrier_init(&all_there, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++)
        start(i, IMPATIENT_ASKS, false);
    start_ns = now_ns();
    pthread_barrier_wait(&all_there);
    for (int i = 0; i < threads; i++) {
        const struct borrower *b = &borrowers[i];
        pthread_join(b->thread, NULL);
        bool gave_up = b->lease.result == POOL_TIMEOUT;
        without += gave_up;
        *too_early +=
            gave_up && (b->waited_ms < IMPATIENT_MS || !strstr(b->lease.error, "out"));
    }
    pthread_barrier_destroy(&all_there);
    end_pool(pool);
    return without;
}

static const struct claim first_come = {"8.9", "guide §7, ch. 18.3",
                                        "max_connections is the upper limit; requests wait",
                                        HOLDS, NULL};
static const struct claim gives_up = {"8.10", "guide §7, ch. 18.3",
                                      "connection_timeout is the longest time to wait for one",
                                      HOLDS, NULL};

void scene_burst(void)
{
    static const char *const options[] = {NULL};
    int too_early;
    pid_t pid;
    struct db_config server = start_server(&pid, options);
    story_say("%d threads, %d connections. How long each waited, in the order of coming:",
              threads, CONNECTIONS);
    story_say("");
    struct pool_stats stats = wait_patiently(&server);
    double longest_ms = longest_wait();
    show_waits(longest_ms);
    int without = wait_impatiently(&server, &too_early);
    int served = threads - without;
    struct db *db = open_or_die(&server);
    long most = db_stat(db, "most_sessions", QUERY_MS);
    db_close(db);
    spawn_stop(pid);
    story_say("");
    story_say("The same with %d ms of patience, and queries of 50 ms:", IMPATIENT_MS);
    story_say("");
    story_bar("served", served, threads, "%d", served);
    story_bar("timed out", without, threads, "%d", without);
    claim_report(
        &first_come,
        holds_if(most == CONNECTIONS && stats.most == CONNECTIONS && had_first >= threads &&
                 behind < CONNECTIONS),
        "%ld sessions at most; the longest wait was %.0f ms. First come, first served: "
        "whoever came back for a second turn was behind all but %d of the %d",
        most, longest_ms, behind, threads);
    claim_report(&gives_up, holds_if(without > 0 && served >= CONNECTIONS && too_early == 0),
                 "%d served, %d with a clear error after %d ms, none of them earlier", served,
                 without, IMPATIENT_MS);
}
