// again.c: scene retry: three ways in which an instance can fail, and what the sidecar sends
// again.
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "mesh.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define QUESTIONS 100
#define PERCENT   20 // of the requests may be retries,
#define RESERVE   10 // and so many more

static const struct claim retries = {
    "4.27", "ch. 18.5", "retries with back-off, without a change of the app", HOLDS, NULL};
static const struct claim safe = {
    "4.65", "ch. 18.5", "(ours) a retry never charges twice: only what is safe is sent again",
    HOLDS, NULL};
static const struct claim budget = {
    "4.66", "ch. 18.5", "(ours) retries stay within a budget while a service is down", HOLDS,
    NULL};

// How many times the app has got one question that it did not answer.
static int times_got(const struct pod *shop, const char *method, atomic_int *requests,
                     int *status)
{
    int before = atomic_load(requests);
    *status = mesh_status(shop, method, "stock", "/");
    return atomic_load(requests) - before;
}

void scene_retry(void)
{
    atomic_int *requests =
        mmap(NULL, sizeof *requests, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (requests == MAP_FAILED)
        die("cannot share memory: %s", strerror(errno));
    scene_check_server();
    mesh_begin();
    struct pod *shop = pod_new("shop"), *good = pod_start("stock"), *bad = pod_new("stock");
    pod_start_sidecar(bad, NULL);
    pod_start_sidecar(shop, "--backoff-ms", "5", NULL);
    mesh_write_services();

    story_say("\"stock\" has two instances, and the app of one is not there. Its sidecar says "
              "so. %d questions, GET and POST in turn:",
              QUESTIONS / 2);
    static const char *const methods[] = {"GET", "POST"};
    int answered = 0;
    for (int i = 0; i < QUESTIONS / 2; i++)
        answered += mesh_status(shop, methods[i % 2], "stock", "/") == 200;
    double sent_again =
        mesh_metric(shop, "sidecar_retries_total{peer=\"stock\",verdict=\"sent\"}");
    story_say("%d were answered 200, %.0f of them at the second try; then the breaker left the "
              "bad one alone.",
              answered, sent_again);

    story_say("Now its only app takes a request and dies, each time. Has it done the work?");
    pod_stop_sidecar(good);
    pod_stop_app(good);
    mesh_start_answering(bad, NULL, false, requests);
    char text[100];
    snprintf(text, sizeof text, "stock %s:%d\nend\n", bad->address, MESH_INBOUND);
    pod_stop_sidecar(shop);
    mesh_write_file("services", text);
    pod_start_sidecar(shop, "--breaker", "0", "--backoff-ms", "5", NULL);
    int get_status, post_status;
    if (!mesh_await(bad, mesh_is_ready)) // its sidecar has to see the new app
        die("the sidecar does not see its app");
    int gets = times_got(shop, "GET", requests, &get_status);
    int posts = times_got(shop, "POST", requests, &post_status);
    story_head("the request|times got|answer");
    story_row("GET|%d|%d", gets, get_status);
    story_row("POST|%d|%d", posts, post_status);

    story_say("Now nobody is there. %d questions, of which each may be tried three times:",
              QUESTIONS);
    pod_stop_app(bad);
    pod_stop_sidecar(bad);
    pod_stop_sidecar(shop);
    pod_start_sidecar(shop, "--breaker", "0", "--backoff-ms", "0", NULL);
    for (int i = 0; i < QUESTIONS; i++)
        mesh_status(shop, "GET", "stock", "/");
    double spent = mesh_metric(shop, "sidecar_retries_total{peer=\"stock\",verdict=\"sent\"}");
    double saved =
        mesh_metric(shop, "sidecar_retries_total{peer=\"stock\",verdict=\"no_budget\"}");
    story_say("%.0f retries, not %d: then the budget (%d %% and %d) was used up, %.0f times.",
              spent, 2 * QUESTIONS, PERCENT, RESERVE, saved);
    claim_report(&retries, holds_if(answered == QUESTIONS / 2 && sent_again > 0),
                 "%d of %d answered, %.0f at the second try", answered, QUESTIONS / 2,
                 sent_again);
    claim_report(&safe, holds_if(gets == 3 && posts == 1),
                 "how often the app got the GET: %d, the POST: %d", gets, posts);
    claim_report(
        &budget,
        holds_if(spent > 0 && saved > 0 && spent <= QUESTIONS * PERCENT / 100 + RESERVE),
        "%.0f retries for %d requests", spent, QUESTIONS);
    mesh_end();
    munmap(requests, sizeof *requests);
}
