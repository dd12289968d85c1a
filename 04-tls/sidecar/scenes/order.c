// order.c: scene order: the sidecar comes late, the app comes late, the sidecar goes first.
#include <signal.h>
#include <stdio.h>

#include "claim.h"
#include "mesh.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

static const struct claim order = {"4.26", "ch. 18.5",
                                   "the sidecar must start before the app, and stop after it",
                                   HOLDS, NULL};

static bool app_is_known(const struct pod *pod)
{
    return mesh_ask_admin(pod, "/ready")->status > 0;
}

void scene_order(void)
{
    static const char *const words[] = {"no connection", "an answer"};
    scene_check_server();
    mesh_begin();
    struct pod *shop = pod_new("shop"), *stock = pod_start("stock");
    mesh_write_services();
    story_head("what happens|the app gets");

    // The app is there, its sidecar is not yet.
    pod_start_app(shop, NULL);
    int too_early = mesh_status(shop, "GET", "stock", "/");
    story_row("it asks before its sidecar is there|%s", words[too_early != 0]);
    pod_start_sidecar(shop, NULL);
    int then = mesh_status(shop, "GET", "stock", "/");
    story_row("and then|%d", then);

    // The sidecar of stock is there, its app is not.
    pod_stop_app(stock);
    pod_stop_sidecar(stock);
    pod_start_sidecar(stock, NULL);
    int ready = mesh_ask_admin(stock, "/ready")->status;
    int nobody = mesh_status(shop, "GET", "stock", "/");
    story_row("stock's app is late (/ready: %d)|%d", ready, nobody);
    pod_start_app(stock, NULL);
    bool ready_then = mesh_await(stock, mesh_is_ready);
    int late = mesh_status(shop, "GET", "stock", "/");
    story_row("and then (/ready: 200)|%d", late);

    // Both are asked to stop; the app has one more question.
    pod_stop_sidecar(shop);
    int last_word = mesh_status(shop, "GET", "stock", "/");
    story_row("at the end its sidecar is gone|%s", words[last_word != 0]);
    pod_start_sidecar(shop, "--stop-after-app", "--drain-ms", "60000", NULL);
    kill(shop->sidecar, SIGTERM);
    sleep_ms(150); // three times as long as from one look of the sidecar to the next one
    bool still = app_is_known(shop);
    int heard = mesh_status(shop, "GET", "stock", "/");
    story_row("the same with --stop-after-app|%d", heard);
    pod_stop_app(shop);
    int64_t began_ns = now_ns();
    int status = spawn_wait(shop->sidecar);
    bool soon = now_ns() - began_ns < 30000 * INT64_C(1000000); // not by the end of --drain-ms
    shop->sidecar = 0;
    story_say("When the app had gone, the sidecar ended by itself.");
    claim_report(&order,
                 holds_if(too_early == 0 && then == 200 && ready == 503 && nobody == 503 &&
                          ready_then && late == 200 && last_word == 0 && still &&
                          heard == 200 && status == 0 && soon),
                 "without its sidecar the app had no connection: at the start, and at the end; "
                 "with the right order both questions were answered");
    mesh_end();
}
