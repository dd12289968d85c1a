// bench_pool.c: the work that bench.sh measures.
//
// Run:    make bench, or one part: build/bench_pool lock
//         ./server --quiet --query-ms 5 --cores 4 & build/bench_pool fair
//         ./server --quiet & build/bench_pool queries
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "measure.h"
#include "net.h"
#include "options.h"
#include "pool.h"

#define PATIENCE_MS 30000
#define PAIRS       1000000 // of lock and unlock, of acquire and release, in one round
#define ROUNDS      9
#define THREADS     8
#define CONNECTIONS 4
#define WINDOW_MAX  256

static const char *host = "127.0.0.1";
static int port = 8008, count = 500, window = 1;
static struct db_config config;

// ---- lock: a pool with one thread ----------------------------------------------------

static void *lend_itself(void *context, int timeout_ms, char reason[POOL_ERROR])
{
    (void)timeout_ms;
    (void)reason;
    return context;
}

static void leave_alone(void *resource)
{
    (void)resource;
}

static double lock_ns(pthread_mutex_t *mutex)
{
    int64_t began_ns = now_ns();
    for (int i = 0; i < PAIRS; i++)
        if (pthread_mutex_lock(mutex) || pthread_mutex_unlock(mutex))
            die("cannot lock");
    return (double)(now_ns() - began_ns) / PAIRS;
}

static double lend_ns(struct pool *pool)
{
    struct lease lease;
    int64_t began_ns = now_ns();
    for (int i = 0; i < PAIRS; i++) {
        if (!pool_acquire(pool, __func__, &lease))
            die("cannot borrow: %s", lease.error);
        pool_release(&lease, true);
    }
    return (double)(now_ns() - began_ns) / PAIRS;
}

// Rounds of both in turn; the shortest of each, for what the machine does beside can only add.
static void bench_lock(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    double lock = 1e9, lend = 1e9;
    struct pool *pool = pool_create(&(struct pool_config){.max = CONNECTIONS,
                                                          .acquire_ms = PATIENCE_MS,
                                                          .open_ms = PATIENCE_MS,
                                                          .idle_ms = 600000,
                                                          .lifetime_ms = 3600000,
                                                          .jitter = 10,
                                                          .validate_ms = 1000,
                                                          .leak_ms = 60000,
                                                          .open = lend_itself,
                                                          .close = leave_alone,
                                                          .context = &mutex});
    if (!pool)
        die("cannot make a pool");
    for (int round = 0; round < ROUNDS; round++) { // the pool's own thread is there in both
        double locked_ns = lock_ns(&mutex), lent_ns = lend_ns(pool);
        if (locked_ns < lock)
            lock = locked_ns;
        if (lent_ns < lend)
            lend = lent_ns;
    }
    pool_close(pool, PATIENCE_MS);
    printf("the shortest of %d rounds of %d\n", ROUNDS, PAIRS);
    printf("%-44s %8.1f ns\n", "a bare mutex, lock and unlock", lock);
    printf("%-44s %8.1f ns\n", "the pool, acquire and release", lend);
    printf("%-44s %8.2f\n", "ratio", lend / lock);
}

// ---- fair: more threads than connections ---------------------------------------------------

struct borrower {
    struct pool *pool;
    double *waits_ms; // `count` of them
};

static void *log_in(void *context, int timeout_ms, char reason[POOL_ERROR])
{
    struct db_error error;
    struct db *db = db_open(context, timeout_ms, &error);
    if (!db)
        snprintf(reason, POOL_ERROR, "%s", error.text);
    return db;
}

static void hang_up(void *resource)
{
    db_close(resource);
}

static void *borrow(void *argument)
{
    struct borrower *borrower = argument;
    for (int i = 0; i < count; i++) {
        struct lease lease;
        int64_t began_ns = now_ns();
        if (!pool_acquire(borrower->pool, __func__, &lease))
            die("cannot borrow: %s", lease.error);
        borrower->waits_ms[i] = (double)(now_ns() - began_ns) / 1e6;
        if (!db_query(lease.resource, "get user 7", PATIENCE_MS))
            die("cannot ask: %s", ((struct db *)lease.resource)->error.text);
        pool_release(&lease, true);
    }
    return NULL;
}

static void bench_fair(void)
{
    struct borrower borrowers[THREADS];
    pthread_t threads[THREADS];
    int total = THREADS * count;
    double *waits_ms = calloc((size_t)total, sizeof *waits_ms);
    struct pool *pool = pool_create(&(struct pool_config){.max = CONNECTIONS,
                                                          .acquire_ms = PATIENCE_MS,
                                                          .open_ms = PATIENCE_MS,
                                                          .open = log_in,
                                                          .close = hang_up,
                                                          .context = &config});
    if (!pool || !waits_ms)
        die("cannot make a pool");
    for (int i = 0; i < THREADS; i++) {
        borrowers[i] = (struct borrower){pool, waits_ms + i * count};
        if (pthread_create(&threads[i], NULL, borrow, &borrowers[i]))
            die("cannot start a thread");
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pool_close(pool, PATIENCE_MS);
    double median = median_of(waits_ms, (size_t)total), longest = waits_ms[total - 1];
    printf("%d threads, %d connections, %d borrowings\n", THREADS, CONNECTIONS, total);
    printf("%-44s %8.2f ms\n", "the median wait", median);
    printf("%-44s %8.2f ms\n", "the longest wait", longest);
    printf("%-44s %8.2f\n", "ratio", longest / median);
    free(waits_ms);
}

// ---- queries: one session, and so many queries under way -----------------------------------

// So many queries in one write(), and then their answers.
static void bench_queries(void)
{
    static char queries[WINDOW_MAX * 64];
    const char *const text = "get user 7";
    size_t length = 0;
    uint32_t id;
    struct db_error error;
    struct db *db = db_open(&config, PATIENCE_MS, &error);
    if (!db)
        die("%s", error.text);
    for (int i = 1; i <= window; i++)
        length += frame_write(queries + length, sizeof queries - length, QUERY, (uint32_t)i,
                              &text, 1);
    for (int answered = 0; answered < count;) {
        if (!write_all(db->fd, queries, length)) // never so much that it had to wait
            die("cannot send %d queries", window);
        for (int i = 0; i < window; i++, answered++)
            if (!db_receive(db, &id, PATIENCE_MS))
                die("%s", db->error.text);
    }
    db_close(db);
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"count", OPTION_INT, &count, 1, 100000000, "borrowings of a thread; queries"},
        {"window", OPTION_INT, &window, 1, WINDOW_MAX, "queries that are under way at once"},
        {0}};
    static const struct {
        const char *name;
        void (*run)(void);
    } parts[] = {{"lock", bench_lock}, {"fair", bench_fair}, {"queries", bench_queries}};
    int first = options_parse(
        argc, argv,
        &(struct command){"PART", "Work for bench.sh: lock, fair, queries.", options});
    config.address_length = net_address(host, port, SOCK_STREAM, &config.address);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (first < argc && !strcmp(argv[first], parts[i].name)) {
            parts[i].run();
            return 0;
        }
    die("no such part; there are: lock, fair, queries");
}
