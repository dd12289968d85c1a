// stale.c: the server is started again, and the pool still has the connections of before.
#include <stdatomic.h>
#include <stdio.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define SESSIONS 5
#define ROUNDS   4 // in each, a query on every session
#define IDLE_MS  30
#define QUERY_MS 10000

static atomic_int asked; // validations

static bool ask(void *session, int timeout_ms)
{
    asked++;
    return session_answers(session, timeout_ms);
}

static bool look(void *session, int timeout_ms)
{
    asked++;
    return session_is_quiet(session, timeout_ms);
}

static const struct way {
    const char *name, *costs;
    bool (*validate)(void *, int);
    int validate_ms;
} ways[] = {{"no validation", "", NULL, 0},
            {"a ping before each use", "round trips", ask, 0},
            {"a ping, if it was idle", "round trips", ask, IDLE_MS / 2},
            {"a look at the socket", "system calls", look, 0}};
enum { NEVER_ASKS, ALWAYS, IF_IDLE, LOOKS, WAYS };

struct result {
    int errors, asked;
    char first[POOL_ERROR]; // error
};

// Every session once, all at the same time.
static void use_all(struct pool *pool, struct result *result)
{
    struct lease leases[SESSIONS];
    for (int i = 0; i < SESSIONS; i++)
        if (!pool_acquire(pool, __func__, &leases[i]))
            die("%s", leases[i].error);
    for (int i = 0; i < SESSIONS; i++) {
        struct db *db = leases[i].resource;
        if (!db_query(db, "get user 7", QUERY_MS) && result->errors++ == 0)
            snprintf(result->first, sizeof result->first, "%s", db->error.text);
        pool_release(&leases[i], !db->broken);
    }
}

static struct result try(const struct way *way)
{
    static const char *const options[] = {NULL};
    struct result result = {.errors = 0};
    pid_t pid;
    struct db_config server = start_server(&pid, options);
    struct pool_config config = session_pool(&server);
    config.validate = way->validate;
    config.validate_ms = way->validate_ms;
    struct pool *pool = new_pool(config);
    use_all(pool, &result);
    if (result.errors)
        die("it began with an error: %s", result.first);
    asked = 0;
    spawn_stop(pid);
    // Another program may have its old port by now; the pool opens at what is in `server`.
    server = start_server(&pid, options);
    sleep_ms(IDLE_MS);
    for (int i = 0; i < ROUNDS; i++)
        use_all(pool, &result);
    result.asked = asked;
    end_pool(pool);
    spawn_stop(pid);
    return result;
}

static const struct claim validate = {"8.6", "guide §7, ch. 18.3",
                                      "stale connections: validate them before they are used",
                                      HOLDS, NULL};

void scene_stale(void)
{
    struct result results[WAYS];
    story_say("%d sessions in a pool. Then the server is stopped, and started again.",
              SESSIONS);
    for (int i = 0; i < WAYS; i++)
        results[i] = try(&ways[i]);
    story_head("of 20 queries after that|fail|validated|which takes");
    for (int i = 0; i < WAYS; i++)
        story_row("%s|%d|%d|%s", ways[i].name, results[i].errors, results[i].asked,
                  ways[i].costs);
    story_say("");
    story_say("The first error: %s", results[NEVER_ASKS].first);
    bool none = true;
    for (int i = ALWAYS; i < WAYS; i++)
        none = none && results[i].errors == 0;
    claim_report(&validate,
                 holds_if(none && results[NEVER_ASKS].errors == SESSIONS &&
                          results[ALWAYS].asked == SESSIONS * ROUNDS &&
                          results[IF_IDLE].asked >= SESSIONS),
                 "%d callers have an error without it, %d with it; asking only what was idle "
                 "takes %d questions, not %d",
                 results[NEVER_ASKS].errors, results[ALWAYS].errors, results[IF_IDLE].asked,
                 results[ALWAYS].asked);
}
