// sessions.c: see sessions.h.
#include "sessions.h"

#include <stdio.h>

#define QUERY_TIMEOUT_MS 10000

static void *open_session(void *context, int timeout_ms, char why[POOL_ERROR])
{
    struct db_error error;
    struct db *db = db_open(context, timeout_ms, &error);
    if (!db)
        snprintf(why, POOL_ERROR, "%s", error.text);
    return db;
}

static void close_session(void *session)
{
    db_close(session);
}

bool session_answers(void *session, int timeout_ms)
{
    return db_query(session, "ping", timeout_ms);
}

bool session_is_quiet(void *session, int timeout_ms)
{
    (void)timeout_ms;
    return db_is_quiet(session);
}

struct pool_config session_pool(struct db_config *server)
{
    return (struct pool_config){
        .max = 10,
        .acquire_ms = 1000,
        .open_ms = 10000,
        .retry_ms = 100,
        .validate_ms = 500,
        .open = open_session,
        .close = close_session,
        .validate = session_answers,
        .context = server,
    };
}

bool session_release(struct lease *lease)
{
    const struct db *db = lease->resource;
    return pool_release(lease, db && !db->broken && db->pending == 0);
}

bool pool_query(struct pool *pool, const char *who, const char *text, char *value, int size)
{
    struct lease lease;
    if (!pool_acquire(pool, who, &lease)) {
        snprintf(value, (size_t)size, "%s", lease.error);
        return false;
    }
    struct db *db = lease.resource;
    bool good = db_query(db, text, QUERY_TIMEOUT_MS);
    const char *said = db->error.text;
    if (good)
        said = db_value(db, 0, 0);
    snprintf(value, (size_t)size, "%s", said);
    session_release(&lease); // after an error of the query the session is still good
    return good;
}
