// lifetimes.c: what a pool does by itself: it keeps some connections, and ends the
// others.
//
// An hour in a moment: the sessions are real, but the clock of these pools is turned by hand
// (pool_config.clock), and pool_tend() does what a pool's own thread does when it is time.
#include <pthread.h>
#include <stdio.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

// The notes' own values, but for max.
#define MAX        20
#define MIN        5
#define IDLE_S     300
#define LIFETIME_S 3600
#define JITTER     10 // percent
#define EVERY_S    12 // one session after the other is returned
#define MINUTES    61
#define FIRST      53 // minute that is drawn

// For the count of new connections.
#define THREADS    16
#define EACH       10 // queries of a thread
#define QUERIES    (THREADS * EACH)
#define SMALL      4 // a pool
#define LARGE      64
#define PAUSE_S    60 // between two queries that come now and then
#define TOO_SHORT  30 // an idle timeout, in seconds
#define VALUE_SIZE 200

static int64_t clock_ns = 1;

static int64_t read_clock(void)
{
    return clock_ns;
}

static void pass(struct pool *pool, int seconds)
{
    clock_ns += seconds * INT64_C(1000000000);
    pool_tend(pool);
}

static struct pool_stats stats_of(struct pool *pool)
{
    struct pool_stats stats;
    pool_stats(pool, &stats);
    return stats;
}

// All sessions are lent, and then returned, so many seconds apart.
static void use_all(struct pool *pool, int apart_s)
{
    struct lease leases[MAX];
    for (int i = 0; i < MAX; i++)
        if (!pool_acquire(pool, __func__, &leases[i]))
            die("%s", leases[i].error);
    for (int i = 0; i < MAX; i++) {
        pool_release(&leases[i], true);
        pass(pool, apart_s);
    }
}

// Idle for too long, down to `min`. Returns true if all came out as it should.
static bool show_idle_timeout(struct pool_config config)
{
    config.min = MIN;
    config.idle_ms = IDLE_S * 1000;
    struct pool *pool = new_pool(config);
    pool_tend(pool);
    bool ready = stats_of(pool).idle == MIN && stats_of(pool).acquired == 0, early = false;
    use_all(pool, EVERY_S); // the first one has been idle for 240 s now
    for (int minute = 4; minute <= 10; minute++, pass(pool, 60)) {
        char label[40];
        int idle = stats_of(pool).idle;
        early = early || (minute * 60 < IDLE_S && idle < MAX);
        snprintf(label, sizeof label, "minute %d", minute);
        story_bar(label, idle, MAX, "%d", idle);
    }
    struct pool_stats stats = stats_of(pool);
    end_pool(pool);
    return ready && !early && stats.idle == MIN && stats.closed[POOL_IDLE] == MAX - MIN;
}

// How many end in each minute. Returns true if all of them did, and others came in their place.
static bool count_endings(struct pool_config config, int jitter, int ended[MINUTES])
{
    config.min = MAX;
    config.lifetime_ms = LIFETIME_S * 1000;
    config.jitter = jitter;
    struct pool *pool = new_pool(config);
    use_all(pool, 0);
    for (int minute = 1; minute < MINUTES; minute++) {
        int before = (int)stats_of(pool).closed[POOL_OLD];
        pass(pool, 60);
        ended[minute] = (int)stats_of(pool).closed[POOL_OLD] - before;
    }
    struct pool_stats stats = stats_of(pool);
    end_pool(pool);
    return stats.closed[POOL_OLD] == MAX && stats.created == 2 * MAX && stats.idle == MAX;
}

static void show_endings(const int ended[MINUTES])
{
    for (int minute = FIRST; minute < MINUTES; minute++) {
        char label[40];
        snprintf(label, sizeof label, "minute %d", minute);
        story_bar(label, ended[minute], MAX, "%d", ended[minute]);
    }
}

static int most_in_a_minute(const int ended[MINUTES])
{
    int most = 0;
    for (int minute = 1; minute < MINUTES; minute++)
        if (ended[minute] > most)
            most = ended[minute];
    return most;
}

// ---- new connections -----------------------------------------------------------------------

static void ask_pool(struct pool *pool)
{
    char value[VALUE_SIZE];
    if (!pool_query(pool, __func__, "slow 1", value, sizeof value))
        die("%s", value);
}

static pthread_barrier_t all_are_there;

static void *ask_often(void *pool)
{
    pthread_barrier_wait(&all_are_there);
    for (int i = 0; i < EACH; i++)
        ask_pool(pool);
    return NULL;
}

// All threads at once share a pool of so many connections.
static struct pool_stats share(struct pool_config config, int max)
{
    pthread_t threads[THREADS];
    config.max = max;
    config.acquire_ms = QUERY_MS;
    struct pool *pool = new_pool(config);
    pthread_barrier_init(&all_are_there, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, ask_often, pool))
            die("cannot start a thread");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&all_are_there);
    struct pool_stats stats = stats_of(pool);
    end_pool(pool);
    return stats;
}

// One query, a pause, and so on: that many connections would do as there are in a small pool.
static struct pool_stats ask_now_and_then(struct pool_config config, int idle_s)
{
    config.max = SMALL;
    config.idle_ms = idle_s * 1000;
    struct pool *pool = new_pool(config);
    for (int i = 0; i < QUERIES; i++) {
        ask_pool(pool);
        pass(pool, PAUSE_S);
    }
    struct pool_stats stats = stats_of(pool);
    end_pool(pool);
    return stats;
}

static int waited(const struct pool_stats *stats)
{
    return (int)(stats->acquired - stats->waits[0]);
}

static void show_opens(const char *queries, int max, const char *idle,
                       const struct pool_stats *stats)
{
    story_row("%s|%d|%s|%d|%d", queries, max, idle, waited(stats), (int)stats->created);
}

static const struct claim too_small = {
    "8.57", "guide §7", "many lines \"New connection created\": the pool might be too small",
    NOT_HERE,
    "Borrowers of a small pool wait: that is what to count. Many new connections mean, as the "
    "note says as well, that connections are closed too early."};

struct opens {
    struct pool_stats one, small, large; // pools, by their size
    struct pool_stats kept, early;       // by their idle timeouts
};

static void count_opens(struct pool_config config, struct opens *opens)
{
    char idle[2][20];
    opens->one = share(config, 1);
    opens->small = share(config, SMALL);
    opens->large = share(config, LARGE);
    opens->kept = ask_now_and_then(config, IDLE_S);
    opens->early = ask_now_and_then(config, TOO_SHORT);
    snprintf(idle[0], sizeof idle[0], "%d s", IDLE_S);
    snprintf(idle[1], sizeof idle[1], "%d s", TOO_SHORT);
    story_say("");
    story_say("New connections for %d queries, of %d threads at once, or one every %d s:",
              QUERIES, THREADS, PAUSE_S);
    story_head("queries|max|idle timeout|had to wait|were opened");
    show_opens("at once", 1, "-", &opens->one);
    show_opens("at once", SMALL, "-", &opens->small);
    show_opens("at once", LARGE, "-", &opens->large);
    show_opens("now and then", SMALL, idle[0], &opens->kept);
    show_opens("now and then", SMALL, idle[1], &opens->early);
}

static void report_opens(const struct opens *opens)
{
    bool few =
        opens->one.created == 1 && opens->small.created <= SMALL && opens->kept.created == 1;
    enum verdict verdict = holds_if(opens->one.created > opens->large.created);
    if (few && waited(&opens->one) > QUERIES / 2 && opens->early.created == QUERIES)
        verdict = NOT_HERE;
    claim_report(&too_small, verdict,
                 "a pool of 1 has opened %d, and %d of %d borrowers had to wait; a pool whose "
                 "idle timeout is too short has opened %d",
                 (int)opens->one.created, waited(&opens->one), QUERIES,
                 (int)opens->early.created);
}

// --------------------------------------------------------------------------------------------

static const struct claim kept = {"8.11", "guide §7, ch. 18.3",
                                  "min_connections stay ready; idle_timeout closes the others",
                                  HOLDS, NULL};
static const struct claim ends = {"8.12", "ch. 18.3", "max_lifetime forces a reconnect", HOLDS,
                                  NULL};

void scene_lifetimes(void)
{
    static const char *const options[] = {NULL};
    int together[MINUTES] = {0}, apart[MINUTES] = {0};
    struct opens opens;
    pid_t pid;
    struct db_config server = start_server(&pid, options);
    struct pool_config config = session_pool(&server);
    config.max = MAX;
    config.validate = NULL;
    config.clock = read_clock;
    story_say("The clock of these pools is turned by hand: an hour passes in a moment.");
    story_say("min %d, idle timeout %d s; %d sessions are returned, one every %d s. Idle:", MIN,
              IDLE_S, MAX, EVERY_S);
    bool idle_closed = show_idle_timeout(config);
    bool all_ended = count_endings(config, 0, together);
    bool jittered_ended = count_endings(config, JITTER, apart);
    story_say("");
    story_say("Max lifetime %d s: %d sessions, opened together, end", LIFETIME_S, MAX);
    show_endings(together);
    story_say("and with a jitter of %d percent:", JITTER);
    show_endings(apart);
    count_opens(config, &opens);
    spawn_stop(pid);
    claim_report(
        &kept, holds_if(idle_closed),
        "%d opened before anybody asked; each of the others closed %d s after its last "
        "use, down to %d",
        MIN, IDLE_S, MIN);
    int most = most_in_a_minute(apart);
    claim_report(&ends,
                 holds_if(all_ended && jittered_ended && together[MINUTES - 1] == MAX &&
                          most < MAX * 3 / 4),
                 "all %d replaced after %d s, in the same minute; with jitter at most %d in a "
                 "minute, so not all users have to wait for a login at once",
                 MAX, LIFETIME_S, most);
    report_opens(&opens);
}
