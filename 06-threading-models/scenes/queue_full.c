// queue_full.c: 200 workers, and 201 requests that wait for something (a database, say). Then
// more requests than the queue has room for. Then a server without a queue of its own: there
// the clients wait in the kernel's.
#include <stdio.h>

#include "claim.h"
#include "fetch.h"
#include "host.h"
#include "lab.h"
#include "load.h"
#include "scenes.h"
#include "story.h"

#define WORKERS     200
#define QUEUE       100
#define MANY        400 // requests at once: for the workers, for the queue, and more
#define IO_MS       150 // in the first try a request waits so long, and its worker with it
#define SECOND      0.8 // times IO_MS: a request that comes so much later has waited for a worker
#define TRIES       4   // each with twice the wait, in case other programs delay the answers
#define GIVE_UP     10000
#define SPARE_FILES 100   // descriptors beside those of the connections
#define PROCESSES   4     // of prefork: each belongs to one connection until that is closed
#define ACCEPT      100   // further connections: the notes' accept-count
#define QUEUED_MS   20000 // within this time they have to be in the kernel's queue

struct result {
    int first;        // requests that a free worker took at once
    int second;       // requests that waited until a worker was free again
    uint64_t refused; // requests that were answered 503
    double slowest_refusal_ms, fastest_ms, slowest_ms;
    int io_ms; // how long a request waits in this try
};

static void sum_up(const struct load_target *targets, int requests, struct result *result)
{
    for (int i = 0; i < requests; i++) {
        double ms = (double)targets[i].latency.max / 1e6;
        double refusal_ms = (double)targets[i].slowest_error_ns / 1e6;
        result->refused += targets[i].errors[LOAD_OVERLOADED];
        if (refusal_ms > result->slowest_refusal_ms)
            result->slowest_refusal_ms = refusal_ms;
        if (ms > 0 && ms < result->fastest_ms)
            result->fastest_ms = ms;
        if (ms > result->slowest_ms)
            result->slowest_ms = ms;
    }
    for (int i = 0; i < requests; i++)
        if (targets[i].latency.total) {
            double late_ms = (double)targets[i].latency.max / 1e6 - result->fastest_ms;
            if (late_ms < SECOND * result->io_ms)
                result->first++;
            else
                result->second++;
        }
}

static void ask_all(int queue, int requests, int io_ms, struct result *result)
{
    static struct load load;
    static struct load_target targets[MANY];
    struct lab lab;
    char path[40];
    snprintf(path, sizeof path, "/io?ms=%d", io_ms);
    for (int i = 0; i < requests; i++)
        targets[i] =
            (struct load_target){.path = path, .connections = 1, .pause_ms = LOAD_ONCE};
    lab_start(&lab, "pool", "--workers %d --queue %d", WORKERS, queue);
    load_open(&load, "127.0.0.1", lab.port, targets, requests);
    load_run(&load, GIVE_UP, 0);
    load_close(&load);
    lab_stop(&lab);
    *result = (struct result){.fastest_ms = GIVE_UP, .io_ms = io_ms};
    sum_up(targets, requests, result);
}

// ---- the kernel's queue --------------------------------------------------------------------

// How many connections wait in the accept queue of the server at 127.0.0.1:port: what stands in
// a listener's column rx_queue (the kernel's Documentation/networking/proc_net_tcp.rst).
static int accept_queue(int port)
{
    char line[300];
    int depth = 0;
    FILE *file = fopen("/proc/net/tcp", "re");
    while (file && fgets(line, sizeof line, file)) {
        unsigned local, state, queued;
        if (sscanf(line, " %*d: %*x:%x %*x:%*x %x %*x:%x", &local, &state, &queued) == 3 &&
            local == (unsigned)port && state == 0x0a /* listens */)
            depth = (int)queued;
    }
    if (file)
        fclose(file);
    return depth;
}

struct kernel_queue {
    int queued, answered, left; // in the queue; answered afterwards; then still in the queue
};

// Holds all processes of prefork with a connection each. Further clients connect and ask. Then
// the first clients close.
static struct kernel_queue fill_kernel_queue(void)
{
    static struct fetch clients[PROCESSES + ACCEPT];
    struct kernel_queue k = {0};
    struct sockaddr_storage server;
    struct lab lab;
    lab_start(&lab, "prefork", "--workers %d --idle-ms 60000", PROCESSES);
    net_address("127.0.0.1", lab.port, SOCK_STREAM, &server);
    for (int i = 0; i < PROCESSES + ACCEPT; i++)
        fetch_or_die(&clients[i], fetch_open(&clients[i], &server, 0));
    for (int i = 0; i < PROCESSES; i++)
        fetch_or_die(&clients[i], fetch_ask(&clients[i], "GET", "/cheap", "", NULL));
    for (int i = PROCESSES; i < PROCESSES + ACCEPT; i++)
        fetch_or_die(&clients[i], fetch_send(&clients[i], "GET /cheap HTTP/1.1\r\n" FETCH_HOST
                                                          "Connection: close\r\n\r\n"));
    int64_t until_ns = now_ns() + QUEUED_MS * INT64_C(1000000);
    while ((k.queued = accept_queue(lab.port)) != ACCEPT && now_ns() < until_ns)
        sleep_ms(1);
    for (int i = 0; i < PROCESSES; i++)
        fetch_close(&clients[i]);
    for (int i = PROCESSES; i < PROCESSES + ACCEPT; i++) {
        k.answered += fetch_answer(&clients[i]) == FETCH_OK && clients[i].head.status == 200;
        fetch_close(&clients[i]);
    }
    k.left = accept_queue(lab.port);
    lab_stop(&lab);
    return k;
}

// ---- the scene -----------------------------------------------------------------------------

static const struct claim waits = {"6.8", "load balancing",
                                   "200 threads: request 201 is queued until one is free",
                                   HOLDS, NULL};
static const struct claim refuses = {
    "6.11", "load balancing", "accept-count 100: a queue for when all connections are busy",
    HOLDS, NULL};

static void show(const struct result *r, int requests)
{
    story_say("");
    story_bar("served at once", r->first, requests, "%d, after %.0f ms", r->first,
              r->fastest_ms);
    if (r->second)
        story_bar("served after another one", r->second, requests, "%d, after %.0f ms",
                  r->second, r->slowest_ms);
    if (r->refused)
        story_bar("refused", (double)r->refused, requests, "%llu, within %.0f ms",
                  (unsigned long long)r->refused, r->slowest_refusal_ms);
}

static bool one_waits(const struct result *r)
{
    return r->first == WORKERS && r->second == 1 && !r->refused;
}

// All have found room in the kernel's queue, and were answered in the end.
static bool kernel_has_queued(const struct kernel_queue *k)
{
    return k->queued == ACCEPT && k->answered == ACCEPT && k->left == 0;
}

static bool some_are_refused(const struct result *r)
{
    return r->first == WORKERS && r->second && r->refused &&
           r->slowest_refusal_ms < r->fastest_ms;
}

void scene_queue_full(void)
{
    struct result one, many;
    if (!host_files(MANY + SPARE_FILES)) {
        claim_report(&waits, SKIPPED, "more descriptors are needed than ulimit -Hn allows: %d",
                     MANY + SPARE_FILES);
        claim_report(&refuses, SKIPPED, "the same");
        return;
    }
    for (int i = 0; i == 0 || (i < TRIES && !one_waits(&one)); i++)
        ask_all(MANY, WORKERS + 1, IO_MS << i, &one);
    story_say("A pool of %d workers, and %d requests at once that wait %d ms: /io?ms=%d.",
              WORKERS, WORKERS + 1, one.io_ms, one.io_ms);
    show(&one, WORKERS + 1);
    for (int i = 0; i == 0 || (i < TRIES && !some_are_refused(&many)); i++)
        ask_all(QUEUE, MANY, IO_MS << i, &many);
    story_say("");
    story_say("%d requests at once, %d ms each, and room for %d in the queue:", MANY,
              many.io_ms, QUEUE);
    show(&many, MANY);
    struct kernel_queue kernel = fill_kernel_queue();
    story_say("");
    story_say("prefork has no queue of its own. Its %d processes are held by %d clients, and",
              PROCESSES, PROCESSES);
    story_say("%d further clients connect and ask: all of them wait in the kernel's queue",
              ACCEPT);
    story_say("(accept-count is its length, listen()'s backlog: lesson 07 fills it).\n");
    story_bar("in the kernel's queue", kernel.queued, ACCEPT, "%d of %d", kernel.queued,
              ACCEPT);
    story_bar("answered afterwards", kernel.answered, ACCEPT, "%d", kernel.answered);
    claim_report(
        &waits, holds_if(one_waits(&one)),
        "%d of %d after %.0f ms; one had to wait until a worker was free again: %.0f ms",
        one.first, WORKERS + 1, one.fastest_ms, one.slowest_ms);
    claim_report(
        &refuses, holds_if(some_are_refused(&many) && kernel_has_queued(&kernel)),
        "%d of %d wait in the kernel's queue, and are answered later. A server's own queue can "
        "say no: %d wait, %llu have their 503 before the first request is served",
        kernel.queued, ACCEPT, many.second, (unsigned long long)many.refused);
}
