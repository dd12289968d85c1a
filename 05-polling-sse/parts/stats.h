// stats.h: GET /stats: what each technique has cost up to now, and what it cost the process.
#ifndef STATS_H
#define STATS_H

#include "connection.h"

void answer_stats(struct connection *c, const struct http_request *request);

#endif
