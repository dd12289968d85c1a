// lifetimes.c: what a pool does by itself: it keeps some connections, and ends the
// others.
//
// An hour in a moment: the sessions are real, but the clock of these pools is turned by hand
// (pool_config.clock), and pool_tend() does what a pool's own thread does when it is time.
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

static const struct claim kept = {"8.11", "guide §7, ch. 18.3",
                                  "min_connections stay ready; idle_timeout closes the others",
                                  HOLDS, NULL};
static const struct claim ends = {"8.12", "ch. 18.3", "max_lifetime forces a reconnect", HOLDS,
                                  NULL};

void scene_lifetimes(void)
{
    static const char *const options[] = {NULL};
    int together[MINUTES] = {0}, apart[MINUTES] = {0};
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
    spawn_stop(pid);
    story_say("");
    story_say("Max lifetime %d s: %d sessions, opened together, end", LIFETIME_S, MAX);
    show_endings(together);
    story_say("and with a jitter of %d percent:", JITTER);
    show_endings(apart);
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
}
