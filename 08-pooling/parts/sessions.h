// sessions.h: a pool (pool.h) that holds sessions of the database (db.h).
#ifndef SESSIONS_H
#define SESSIONS_H

#include "db.h"
#include "pool.h"

// A pool's configuration for sessions with this server; `server` must outlive the pool. At most
// 10 sessions, and a borrower waits a second at most. A session has no maximum age. A session
// that was idle for half a second is validated by a query. The caller may change all this
// before pool_create().
struct pool_config session_pool(struct db_config *server);

// Two ways to validate a session. session_answers() sends a ping: it takes a round trip and
// gives a sure answer. session_is_quiet() only looks at the socket: it takes no round trip, and
// does not notice a server that vanished without a FIN.
bool session_answers(void *session, int timeout_ms);
bool session_is_quiet(void *session, int timeout_ms);

// Returns a session to its pool. The pool closes the session if it is broken, or if an answer
// has not been read: the next borrower would take that answer for its own.
bool session_release(struct lease *lease);

// Borrows a session, asks, and returns the session. On success `value` (size bytes) has the
// first value of the first row, "" if there is no row. On failure it has the reason.
bool pool_query(struct pool *pool, const char *who, const char *text, char *value, int size);

#endif
