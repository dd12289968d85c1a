// failover.c: one of three backends fails in the middle of the work. How many errors do clients
// see, with no checks, with passive ones and with active ones?
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "claim.h"
#include "lab.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define CLIENTS  6
#define REQUESTS 240
#define BACKENDS 3
#define WORK     "--delay-ms 4"
#define HANG_MS  "150" // until the balancer gives up a backend that hangs

static const struct way {
    const char *name, *options;
} ways[] = {
    {"no checks", "--check-ms 0 --eject-after 0 --no-retry"},
    {"passive: 3 failures in a row", "--check-ms 0 --eject-after 3 --no-retry"},
    {"active: each 5 ms, 2 failures", "--check-ms 5 --check-timeout-ms 50 --fall 2 "
                                      "--eject-after 0 --no-retry"},
    {"passive, and a second try", "--check-ms 0 --eject-after 3"},
};
enum { NONE, PASSIVE, ACTIVE, RETRY, WAYS };

static struct lab lab;

static void kill_b(void)
{
    lab_kill(&lab, 1);
}

// It is there, and takes connections, but does nothing: as a program in an endless loop.
static void hang_b(void)
{
    kill(lab.backends[1], SIGSTOP);
}

static void begin(const char *options, const char *b, const char *others)
{
    for (int i = 0; i < BACKENDS; i++)
        lab_backend(&lab, i == 1 ? b : others);
    lab_balancer(&lab, options, NULL);
}

static struct outcome fail(const struct way *way, const char *answer_ms, void (*how)(void))
{
    char options[LAB_OPTIONS];
    snprintf(options, sizeof options, "--answer-ms %s %s", answer_ms, way->options);
    begin(options, WORK, WORK);
    struct load load = {
        .port = lab.port, .clients = CLIENTS, .requests = REQUESTS, .at_half = how};
    struct outcome o = lab_load(&load);
    lab_end(&lab);
    return o;
}

// It is killed, and started again: does it get requests?
static int come_back(void)
{
    begin("--check-ms 20 --fall 2 --rise 2 --eject-after 0", WORK, WORK);
    lab_kill(&lab, 1);
    lab_await(&lab, 1, "down");
    lab_restart(&lab, 1, WORK);
    lab_await(&lab, 1, "up");
    struct load load = {.port = lab.port, .clients = CLIENTS, .requests = 90};
    struct outcome o = lab_load(&load);
    lab_end(&lab);
    return o.answers[1];
}

// All carry out what they are asked; but every second time b breaks the connection, and does
// not answer.
struct repeated {
    int errors, carried_out;
};

static struct repeated lose_answers(const char *method)
{
    struct repeated r = {.errors = 0};
    begin("--check-ms 0 --eject-after 0", "--drop-every 2", "");
    struct load load = {.port = lab.port, .clients = 1, .requests = 100, .method = method};
    r.errors = lab_load(&load).errors;
    for (int i = 0; i < BACKENDS; i++) {
        static struct fetch f;
        struct sockaddr_storage address;
        net_address("127.0.0.1", lab.ports[i], SOCK_STREAM, &address);
        fetch_or_die(&f, fetch_open(&f, &address, 0));
        fetch_or_die(&f, fetch_ask(&f, "GET", "/served", "", NULL));
        r.carried_out += atoi(f.content.at);
        fetch_close(&f);
    }
    lab_end(&lab);
    return r;
}

static const struct claim fault_tolerant = {
    "8.24", "load balancing", "health checks are part of high availability and fault tolerance",
    HOLDS, NULL};
static const struct claim retries = {
    "8.39", "guide §13.3", "balancers retry with another backend if one fails or times out",
    HOLDS, NULL};

void scene_failover(void)
{
    struct outcome killed[WAYS], hung[WAYS];
    story_say("%d clients send %d requests to three backends. In the middle b is killed (-9), "
              "or hangs, and then the balancer waits %s ms for an answer.",
              CLIENTS, REQUESTS, HANG_MS);
    for (int i = 0; i < WAYS; i++) {
        killed[i] = fail(&ways[i], "20000", kill_b);
        hung[i] = fail(&ways[i], HANG_MS, hang_b);
    }
    int back = come_back();
    struct repeated get = lose_answers("GET"), post = lose_answers("POST");
    story_head("errors that clients see|killed|hangs|p99, hangs");
    for (int i = 0; i < WAYS; i++)
        story_row("%s|%d|%d|%.0f ms", ways[i].name, killed[i].errors, hung[i].errors,
                  hung[i].p99_ms);
    story_say("b is started again: active checks see it, and it answers %d of 90 requests.",
              back);
    story_say("100 requests. All backends carry them out, but every second time b breaks the "
              "connection in place of an answer:");
    story_head("|errors|carried out");
    story_row("GET: repeated elsewhere|%d|%d", get.errors, get.carried_out);
    story_row("POST: not repeated|%d|%d", post.errors, post.carried_out);
    claim_report(&fault_tolerant,
                 holds_if(killed[NONE].errors > 3 * killed[PASSIVE].errors &&
                          killed[NONE].errors > killed[ACTIVE].errors &&
                          hung[NONE].errors > hung[PASSIVE].errors &&
                          hung[NONE].errors > hung[ACTIVE].errors &&
                          killed[RETRY].errors == 0 &&
                          hung[RETRY].errors < hung[PASSIVE].errors && back > 0),
                 "killed: %d errors with no checks, %d with passive, %d with active ones, %d "
                 "with a second try; hanging: %d, %d, %d, %d",
                 killed[NONE].errors, killed[PASSIVE].errors, killed[ACTIVE].errors,
                 killed[RETRY].errors, hung[NONE].errors, hung[PASSIVE].errors,
                 hung[ACTIVE].errors, hung[RETRY].errors);
    claim_report(&retries,
                 holds_if(get.errors == 0 && get.carried_out > 100 && post.errors > 0 &&
                          post.carried_out == 100),
                 "100 GETs: no error, %d carried out; 100 POSTs, which are not repeated: %d "
                 "errors, %d carried out",
                 get.carried_out, post.errors, post.carried_out);
}
