// stats.h: GET /stats: what each technique has cost up to now, and what it cost the process.
#ifndef STATS_H
#define STATS_H

#include "session.h"

void answer_stats(struct session *s, const struct request *request);

#endif
