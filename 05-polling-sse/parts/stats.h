// stats.h: GET /stats: the requests and bytes of each technique, and the memory and CPU time of
// the server.
#ifndef STATS_H
#define STATS_H

#include "connection.h"

void answer_stats(struct connection *c, const struct http_request *request);

#endif
