// jobs.c: see jobs.h. A job of this lesson does nothing but take time, so the clock says how
// far it is.
#include "jobs.h"

#include <stdio.h>
#include <stdlib.h>

#include "log.h"

struct job {
    uint64_t id; // 0: this place is free
    int64_t began_ns, ends_ns;
    size_t bytes; // the length of the content that came with it
};

struct jobs {
    uint64_t newest;
    struct job jobs[JOBS_KEPT];
};

struct jobs *jobs_begin(uint64_t first)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs)
        jobs->newest = first - 1;
    return jobs;
}

void jobs_end(struct jobs *jobs)
{
    free(jobs);
}

static struct job *find_job(struct jobs *jobs, uint64_t id)
{
    for (struct job *job = jobs->jobs; job < jobs->jobs + JOBS_KEPT; job++)
        if (job->id == id && id > 0)
            return job;
    return NULL;
}

// Finds a place for a new job: a free one, or that of the job that has ended first. A job that
// runs keeps its place. NULL: all of them run.
static struct job *find_place(struct jobs *jobs, int64_t now_ns)
{
    struct job *oldest = jobs->jobs;
    for (struct job *job = jobs->jobs; job < jobs->jobs + JOBS_KEPT; job++)
        if (job->ends_ns < oldest->ends_ns)
            oldest = job;
    if (oldest->ends_ns > now_ns)
        return NULL;
    return oldest;
}

static void answer_state(struct connection *c, uint64_t id, int status, const char *fields)
{
    const struct job *job = find_job(c->service->jobs, id);
    int64_t now = conn_now(&c->conn);
    char text[160];
    if (!job) { // a newer job has taken its place while a client waited for it
        connection_refuse(c, 404, "this job is forgotten", "");
        return;
    }
    int length;
    if (now >= job->ends_ns)
        length = snprintf(text, sizeof text,
                          "{\"id\":%llu,\"state\":\"done\",\"progress\":100,"
                          "\"result\":\"%zu bytes looked at\"}\n",
                          (unsigned long long)id, job->bytes);
    else
        length =
            snprintf(text, sizeof text, "{\"id\":%llu,\"state\":\"running\",\"progress\":%d}\n",
                     (unsigned long long)id,
                     (int)((now - job->began_ns) * 100 / (job->ends_ns - job->began_ns)));
    connection_answer(c, status, "application/json", (struct http_text){text, (size_t)length},
                      fields);
}

void answer_submit(struct connection *c, const struct http_request *request)
{
    struct jobs *jobs = c->service->jobs;
    uint64_t ms = JOB_MS;
    char location[60];
    if (!query_number(request->query, "ms", JOB_MAX_MS, &ms)) {
        connection_refuse(c, 400, "ms= is no number up to 60000", "");
        return;
    }
    int64_t now = conn_now(&c->conn);
    struct job *job = find_place(jobs, now);
    if (!job) {
        connection_refuse(c, 503, "1000 jobs are running", "");
        return;
    }
    uint64_t id = ++jobs->newest;
    *job = (struct job){id, now, now + (int64_t)ms * 1000000, request->content.length};
    snprintf(location, sizeof location, "Location: /jobs/%llu\r\n", (unsigned long long)id);
    answer_state(c, id, 202, location);
}

// ---- GET /jobs/ID?wait=MS ------------------------------------------------------------------

static void timeout(struct connection *c)
{
    answer_state(c, c->job, 200, NO_STORE);
}

static void stop(struct connection *c)
{
    c->http.keep_alive = false;
    timeout(c);
}

void answer_job(struct connection *c, const struct http_request *request)
{
    static const struct mode mode = {NULL, NULL, timeout, stop};
    struct http_text handle = request->path;
    uint64_t id = 0, wait_ms = 0;
    handle.at += sizeof "/jobs/" - 1;
    handle.length -= sizeof "/jobs/" - 1;
    const struct job *job = NULL;
    if (http_number(handle, UINT64_MAX, &id))
        job = find_job(c->service->jobs, id);
    if (!job) {
        connection_refuse(c, 404, "there is no such job", "");
        return;
    }
    if (!query_number(request->query, "wait", WAIT_JOB_MS, &wait_ms)) {
        connection_refuse(c, 400, "wait= is no number up to 60000", "");
        return;
    }
    c->job = id;
    int64_t now = conn_now(&c->conn), until_ns = now + (int64_t)wait_ms * 1000000;
    if (until_ns > job->ends_ns)
        until_ns = job->ends_ns;
    if (until_ns <= now) {
        timeout(c);
        return;
    }
    c->conn.paused = true; // the client's next request waits
    c->mode = &mode;
    log_line("%s: held", c->request);
    connection_wake_at(c, until_ns);
}
