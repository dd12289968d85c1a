// metrics.h: what the sidecar counts of each request, without the app: how many, how they
// ended, how long they took. Prometheus reads it as text: GET /metrics on the admin port.
#ifndef METRICS_H
#define METRICS_H

#include "buffer.h"
#include "sidecar.h"

// A request has its answer, or its client is gone (status 0).
void metrics_request(const struct downstream *d, int64_t took_ns);

// A request that was refused because of --rate; a try that was repeated, or could not be.
void metrics_limited(const struct downstream *d);
void metrics_retry(const struct downstream *d, enum retry_verdict verdict);

// Writes all of them: the text format of Prometheus, version 0.0.4.
bool metrics_write(struct buffer *out);

#endif
