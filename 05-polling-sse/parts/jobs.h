// jobs.h: work that takes longer than one likes to wait. POST /jobs?ms=N answers at once with
// a handle; GET /jobs/ID says how far it is, and GET /jobs/ID?wait=MS does not say so before it
// is done, or has waited for so long. The client may be gone in between.
#ifndef JOBS_H
#define JOBS_H

#include "connection.h"

#define JOBS_KEPT   1000 // jobs that we know: those that run, and the last of those that are done
#define JOB_MS      2000  // that a job takes, if the client does not say
#define JOB_MAX_MS  60000 // at most
#define WAIT_JOB_MS 60000 // longest ?wait=

// The first job gets the handle `first`. NULL: no memory.
struct jobs *jobs_begin(uint64_t first);
void jobs_end(struct jobs *jobs);

void answer_submit(struct connection *c, const struct http_request *request);
void answer_job(struct connection *c, const struct http_request *request);

#endif
