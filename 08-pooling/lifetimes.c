// lifetimes.c: what a pool does when nobody asks: it keeps some connections, and ends the
// others.
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define SESSIONS    20
#define MIN         3
#define IDLE_MS     300
#define LIFETIME_MS 600
#define JITTER      50                 // percent
#define EARLY_MS    (LIFETIME_MS - 20) // before that none ends that has no jitter
#define STEP_MS     50                 // of a bar
#define FIRST_STEP  6
#define STEPS       14

// When the sessions of a pool were closed. Two pools run at the same time, so there are two.
struct endings {
    atomic_int count;
    int64_t at_ns[SESSIONS];
};

static struct endings together, apart;
static struct pool_config sessions;

static void note(struct endings *endings, void *session)
{
    int number = endings->count++;
    if (number < SESSIONS)
        endings->at_ns[number] = now_ns();
    sessions.close(session);
}

static void close_together(void *session)
{
    note(&together, session);
}

static void close_apart(void *session)
{
    note(&apart, session);
}

// A pool with SESSIONS sessions, opened one right after the other.
static struct pool *full_pool(struct pool_config config, int64_t *opened_ns)
{
    struct lease leases[SESSIONS];
    struct pool *pool = new_pool(config);
    *opened_ns = now_ns();
    for (int i = 0; i < SESSIONS; i++)
        if (!pool_acquire(pool, POOL_HERE, &leases[i]))
            die("%s", leases[i].error);
    for (int i = 0; i < SESSIONS; i++)
        pool_release(&leases[i], true);
    return pool;
}

static int idle(struct pool *pool, struct pool_stats *stats)
{
    pool_stats(pool, stats);
    return stats->idle;
}

// Idle for too long, down to `min`. Returns true if all came out as it should; says when the
// first one was closed.
static bool watch_idle_timeout(double *first_ms, struct pool_stats *stats)
{
    int64_t opened_ns;
    struct pool_config config = sessions;
    config.min = MIN;
    config.idle_ms = IDLE_MS;
    struct pool *pool = new_pool(config);
    while (idle(pool, stats) < MIN) // before anybody has asked
        sleep_ms(1);
    bool ready = stats->acquired == 0 && stats->created == MIN;
    end_pool(pool);
    pool = full_pool(config, &opened_ns);
    while (idle(pool, stats) == SESSIONS)
        sleep_ms(1);
    *first_ms = ms_since(opened_ns);
    while (idle(pool, stats) > MIN)
        sleep_ms(1);
    sleep_ms(STEP_MS); // and it stays so
    bool kept = idle(pool, stats) == MIN && stats->closed[POOL_IDLE] == SESSIONS - MIN;
    end_pool(pool);
    return ready && kept && *first_ms >= IDLE_MS - 20; // ticks of the clock
}

static int ended_between(const struct endings *endings, int64_t from_ns, int from_ms, int to_ms)
{
    int count = 0;
    for (int i = 0; i < SESSIONS; i++) {
        double ms = (double)(endings->at_ns[i] - from_ns) / 1e6;
        count += ms >= from_ms && ms < to_ms;
    }
    return count;
}

static void show_endings(const char *title, const struct endings *endings, int64_t opened_ns)
{
    story_say("");
    story_say("%s", title);
    for (int i = FIRST_STEP; i < STEPS; i++) {
        char label[30];
        int ms = i * STEP_MS, to_ms = i + 1 < STEPS ? ms + STEP_MS / 2 : INT32_MAX;
        int count = ended_between(endings, opened_ns, ms - STEP_MS / 2, to_ms);
        snprintf(label, sizeof label, "at %d ms%s", ms, i + 1 < STEPS ? "" : " or later");
        if (count)
            story_bar(label, count, SESSIONS, "%d", count);
        else
            story_bar(label, 0, SESSIONS, " ");
    }
}

static const struct claim kept = {"8.9", "ch. 18.3",
                                  "min_connections stay ready; idle_timeout closes the others",
                                  HOLDS, NULL};
static const struct claim ends = {"8.9", "ch. 18.3", "max_lifetime forces a reconnect", HOLDS,
                                  NULL};

void scene_lifetimes(void)
{
    static const char *const options[] = {NULL};
    struct pool_stats stats;
    int64_t together_ns, apart_ns;
    double first_ms;
    pid_t pid;
    struct db_config server = start_server(&pid, options);
    sessions = session_pool(&server);
    sessions.max = SESSIONS;
    struct pool_config equal = sessions, jittered = sessions;
    equal.lifetime_ms = jittered.lifetime_ms = LIFETIME_MS;
    jittered.jitter = JITTER;
    equal.close = close_together;
    jittered.close = close_apart;
    struct pool *a = full_pool(equal, &together_ns), *b = full_pool(jittered, &apart_ns);
    bool idle_closed = watch_idle_timeout(&first_ms, &stats);
    while (together.count < SESSIONS || apart.count < SESSIONS)
        sleep_ms(5);
    end_pool(a);
    end_pool(b);
    spawn_stop(pid);
    story_say("min %d, idle timeout %d ms: of %d sessions that nobody uses %d are left.", MIN,
              IDLE_MS, SESSIONS, stats.idle);
    show_endings("Max lifetime 600 ms: 20 sessions, opened together, end", &together,
                 together_ns);
    show_endings("The same with a jitter of 50 percent:", &apart, apart_ns);
    claim_report(&kept, idle_closed ? HOLDS : UNCLEAR,
                 "%d opened before anybody asked; %d of %d closed, the first after %.0f ms",
                 MIN, (int)stats.closed[POOL_IDLE], SESSIONS, first_ms);
    int early = ended_between(&together, together_ns, 0, EARLY_MS);
    int jittered_early = ended_between(&apart, apart_ns, 0, EARLY_MS);
    claim_report(&ends, early == 0 && jittered_early > SESSIONS / 2 ? HOLDS : UNCLEAR,
                 "before %d ms %d of %d have ended, with jitter %d: then not all have to be "
                 "opened again in the same moment",
                 EARLY_MS, early, SESSIONS, jittered_early);
}
