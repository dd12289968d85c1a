// replace.c: scene replace: the sidecars of a service are replaced, one after the other, while
// requests come; its apps go on.
#include <signal.h>
#include <stdio.h>

#include "claim.h"
#include "load.h"
#include "mesh.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define QUESTIONS 100 // between two changes

static const struct claim update = {
    "4.76", "ch. 18.5", "independent updates: another sidecar, without a change of the app",
    HOLDS, NULL};

static char breaker[150]; // the metric of the instance that was replaced

static bool is_used_again(const struct pod *pod)
{
    return mesh_metric(pod, breaker) == 0;
}

void scene_replace(void)
{
    bool ready = true;
    scene_check_server();
    mesh_begin();
    struct pod *shop = pod_new("shop"), *one = pod_start("stock"), *two = pod_start("stock");
    pod_start_sidecar(shop, "--backoff-ms", "5", "--open-ms", "100", "--budget", "100", NULL);
    mesh_write_services();
    struct pod *both[] = {one, two};
    pid_t apps[] = {one->app, two->app};
    story_say(
        "stock has two instances. shop asks without a pause; the sidecar of the first one "
        "is stopped and started again, then that of the second one, when shop uses the first "
        "one "
        "again:");
    load_start(shop, "stock");
    load_await(QUESTIONS);
    for (int i = 0; i < 2; i++) {
        pod_stop_sidecar(both[i]);
        load_await(QUESTIONS);
        pod_start_sidecar(both[i], NULL);
        ready = ready && mesh_await(both[i], mesh_is_ready);
        // As a deployment does: the next one is replaced when this one is in use again.
        snprintf(breaker, sizeof breaker,
                 "sidecar_breaker_open{service=\"stock\",instance=\"%s:%d\"}", both[i]->address,
                 MESH_INBOUND);
        ready = ready && mesh_await(shop, is_used_again);
        load_await(QUESTIONS);
    }
    struct load_result result = load_stop();
    double again = mesh_metric(shop, "sidecar_retries_total{peer=\"stock\",verdict=\"sent\"}");
    long served[] = {mesh_count(one), mesh_count(two)};
    bool same = kill(apps[0], 0) == 0 && kill(apps[1], 0) == 0;
    story_say(
        "%d requests, %d failed, %.0f were sent a second time; the slowest took %.1f ms. The "
        "apps have served %ld and %ld of them.",
        result.asked, result.failed, again, result.slowest_ms, served[0], served[1]);
    claim_report(&update,
                 holds_if(ready && result.failed == 0 && same && served[0] && served[1]),
                 "%d of %d requests failed, and the apps are the same processes as before",
                 result.failed, result.asked);
    mesh_end();
}
