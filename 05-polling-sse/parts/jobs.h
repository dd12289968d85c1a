// jobs.h: work that takes longer than a request should. POST /jobs?ms=N answers at once with a
// handle. GET /jobs/ID says how far the job is. GET /jobs/ID?wait=MS answers when the job is
// done, or after MS milliseconds. The client may disconnect in between.
#ifndef JOBS_H
#define JOBS_H

#include "connection.h"

#define JOBS_KEPT   1000 // jobs that the server knows: those that run, and the last that are done
#define JOB_MS      2000  // how long a job takes without ?ms=
#define JOB_MAX_MS  60000 // the largest ?ms=
#define WAIT_JOB_MS 60000 // the largest ?wait=

// The first job gets the handle `first`. NULL: no memory.
struct jobs *jobs_begin(uint64_t first);
void jobs_end(struct jobs *jobs);

void answer_submit(struct connection *c, const struct http_request *request);
void answer_job(struct connection *c, const struct http_request *request);

#endif
