// storing.h: what an exchange does with the store: makes entries, refreshes one that the server
// has called good, removes what has changed.
#ifndef STORING_H
#define STORING_H

#include "exchange.h"

// Answers the exchange's client with an entry: its content, or that the client has it already.
void storing_answer(struct exchange *x, struct entry *entry, const char *word);

// May the exchange be answered with what is stale? See freshness_may_serve_stale().
bool storing_may_answer_stale(const struct exchange *x, bool server_error);

// A request that changes something has succeeded: removes what is stored under its URI, and
// under those that its answer names (RFC 9111 §4.4).
void storing_invalidate(const struct exchange *x, const struct http_head *answer);

// Makes an entry for this answer, which the caller holds. NULL: there is no room for it.
struct entry *storing_make_entry(struct exchange *x, const struct http_head *answer);

// The server has said 304: what is stored is still good, and gets the new fields.
void storing_refresh(struct exchange *x, const struct http_head *answer);

#endif
