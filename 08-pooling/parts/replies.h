// replies.h: what the server says to a session's client, frame by frame; each function writes
// its frame to the connection and a line to the log. `number` is the session's, 0 before the
// login; `id` is that of the login or query which is answered, 0 if none is.
#ifndef REPLIES_H
#define REPLIES_H

#include "loop.h"
#include "query.h"

// The login was accepted.
void reply_ready(struct conn *conn, long number, uint32_t id);

// The session ends, or the login is refused, and `text` says why.
void reply_fatal(struct conn *conn, long number, uint32_t id, const char *code,
                 const char *text);

// The server cannot read the query `asked`.
void reply_error(struct conn *conn, long number, uint32_t id, const char *asked,
                 const struct query_error *error);

// The answer to the query, whose text is `asked`.
void reply_answer(struct conn *conn, long number, uint32_t id, const char *asked,
                  struct query *query, const struct tables *tables,
                  const struct figure *figures);

#endif
