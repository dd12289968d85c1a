// sessions.h: a pool (pool.h) that holds sessions of the database (db.h).
#ifndef SESSIONS_H
#define SESSIONS_H

#include "db.h"
#include "pool.h"

// A pool's configuration for sessions with this server (it must outlive the pool): 10 at most,
// a second's patience, nothing closed for its age, and validation by a query for what was idle
// for half a second. Change what you like before pool_create().
struct pool_config session_pool(struct db_config *server);

// Two ways to validate. The first asks, which takes a round trip, and knows. The second only
// looks whether the server has said something or hung up: no round trip, and it cannot know of
// a server that vanished without a word.
bool session_answers(void *session, int timeout_ms);
bool session_is_quiet(void *session, int timeout_ms);

// Returns a session to its pool. It may be lent again unless it is broken, or an answer to one
// of its queries has not been read: the next borrower would take that answer for its own.
bool session_release(struct lease *lease);

// Borrows a session, asks, returns it. On success the first value of the first row is in
// `value` (size bytes), "" if there is no row; else why not.
bool pool_query(struct pool *pool, const char *who, const char *text, char *value, int size);

#endif
