// late.c: scene timeout: an app that takes much too long. Who gives up, and when?
#include <stdio.h>

#include "claim.h"
#include "mesh.h"
#include "scenes.h"
#include "story.h"

#define WORK_MS   1500
#define LIMIT_MS  200
#define QUESTIONS 3

static const struct claim gives_up = {"4.77", "ch. 18.5",
                                      "time-outs, without a change of the app", HOLDS, NULL};

static bool has_asked_all(const struct pod *pod)
{
    return mesh_count(pod) >= QUESTIONS;
}

void scene_timeout(void)
{
    scene_check_server();
    mesh_begin();
    struct pod *shop = pod_new("shop"), *stock = pod_start("stock");
    pod_start_sidecar(shop, "--answer-ms", "200", NULL);
    mesh_write_services();
    story_say("The app \"stock\" takes %d ms for its answer; shop's sidecar waits %d ms.",
              WORK_MS, LIMIT_MS);
    struct mesh_answer *answer = NULL;
    double quickest_ms = 0; // what a busy machine adds to the others is not the sidecar's
    for (int i = 0; i < QUESTIONS; i++) {
        answer = mesh_ask(shop, "GET", "stock", "/?ms=1500", "");
        if (i == 0 || answer->ms < quickest_ms)
            quickest_ms = answer->ms;
    }
    int status = answer->status;
    mesh_await(stock, has_asked_all); // a busy machine brings the app its requests late
    long asked = mesh_count(stock);
    story_head("shop gets|after|stock was asked");
    story_row("%d|%.0f ms|%ld times", status, quickest_ms, asked);
    story_say("It is not asked again: nobody knows whether it still works on the first one.");
    claim_report(&gives_up,
                 holds_if(status == 504 && quickest_ms >= LIMIT_MS &&
                          quickest_ms < WORK_MS / 2 && asked == QUESTIONS),
                 "%d after %.0f ms instead of %d; %ld tries for %d questions", status,
                 quickest_ms, WORK_MS, asked, QUESTIONS);
    mesh_end();
}
