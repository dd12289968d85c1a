// leak.c: scene leak: a function does not return what it has borrowed.
#include <stdio.h>
#include <string.h>

#include "net.h"
#include "scenes.h"
#include "story.h"

#define VALUE_BYTES 200
#define LEAKS       4
#define PATIENCE_MS 300 // of a borrower
#define LEAK_MS     100 // after which a lease is called a leak

static const struct claim drains = {"8.7", "guide §7",
                                    "a leak drains the pool; a timeout says so", HOLDS, NULL};

static void leak_found(void *context, const char *who, double held_ms)
{
    (void)context;
    story_event("the pool: %s has had a connection for %.0f ms", who, held_ms);
}

// A function as one finds it: all is well, as long as nothing goes wrong.
static bool write_report(struct pool *pool, const char *user, struct lease *lease)
{
    if (!pool_acquire(pool, "monthly report", lease))
        return false;
    struct db *db = lease->resource;
    char text[VALUE_BYTES];
    snprintf(text, sizeof text, "get user %s", user);
    if (!db_query(db, text, QUERY_MS))
        return false; // and here it goes
    pool_release(lease, !db->broken);
    return true;
}

void scene_leak(void)
{
    struct lease leases[LEAKS + 1];
    struct pool_stats stats;
    struct pool_config config = session_pool(the_server());
    config.max = LEAKS;
    config.acquire_ms = PATIENCE_MS;
    config.leak_ms = LEAK_MS;
    config.leaked = leak_found;
    struct pool *pool = new_pool(config);
    story_timeline();
    for (int i = 0; i < LEAKS; i++) {
        if (!write_report(pool, "7", &leases[i]))
            die("%s", leases[i].error);
        if (write_report(pool, "seven", &leases[i]))
            die("the server does not tell numbers from words");
        story_event("user 7: written.  user seven: an error, and no pool_release()");
    }
    int64_t start_ns = now_ns();
    story_event("user 7 again");
    bool written = write_report(pool, "7", &leases[LEAKS]);
    double waited_ms = ms_since(start_ns);
    if (written)
        story_event("written, after %.0f ms", waited_ms);
    else
        story_event("an error, after %.0f ms", waited_ms);
    story_quiet(true);
    pool_stats(pool, &stats);
    story_say("The error: %s", leases[LEAKS].error);
    int missing = pool_close(pool, LEAK_MS);
    story_say("pool_close() waits %d ms, and then says how many are missing: %d", LEAK_MS,
              missing);
    for (int i = 0; i < LEAKS; i++)
        pool_release(&leases[i], true); // this program is not to leak
    end_pool(pool);
    bool said = strstr(leases[LEAKS].error, "monthly report for ") != NULL;
    claim_report(&drains,
                 holds_if(!written && leases[LEAKS].result == POOL_TIMEOUT && said &&
                          waited_ms >= PATIENCE_MS && (int)stats.leaks == LEAKS &&
                          missing == LEAKS),
                 "%d of %d leaked; the next borrower had an error after %.0f ms, with the "
                 "names of its borrowers",
                 (int)stats.leaks, LEAKS, waited_ms);
}
