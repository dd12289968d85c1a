// stats.h: what the books say, and what the server has done: GET /balance, GET /stats. And
// PUT /outage, after which it does nothing for a while.
#ifndef STATS_H
#define STATS_H

#include "connection.h"

// GET /balance?currency=eur: count and sum of the charges that succeeded.
void answer_balance(struct connection *c, const struct request *request);
void answer_stats(struct connection *c, const struct request *request);

// {"ms": 1500}: so long every POST is answered with 503; with {"retry_after": 2} besides, the
// clients are told to come back in so many seconds.
void answer_outage(struct connection *c, const struct request *request);

#endif
