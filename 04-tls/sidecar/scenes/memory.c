// memory.c: scene memory: what each sidecar needs for itself, and for its connections.
#include <stdio.h>
#include <unistd.h>

#include "claim.h"
#include "fetch.h"
#include "host.h"
#include "measure.h"
#include "mesh.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define CONNECTIONS 1000
#define QUESTIONS   200

static const struct claim overhead = {
    "4.25", "ch. 18.5", "each pod needs extra memory and CPU for its sidecar", HOLDS, NULL};

void scene_memory(void)
{
    static int fds[CONNECTIONS];
    scene_check_server();
    if (!host_files(CONNECTIONS + 50)) {
        claim_report(&overhead, SKIPPED, "ulimit -Hn allows too few descriptors");
        return;
    }
    mesh_begin();
    struct pod *shop = pod_new("shop"), *stock = pod_start("stock"),
               *price = pod_start("price");
    pod_start_sidecar(shop, NULL);
    mesh_write_services();
    mesh_status(shop, "GET", "stock", "/");
    mesh_status(shop, "GET", "price", "/");
    long one_kb = process_private_kb(stock->sidecar),
         other_kb = process_private_kb(price->sidecar);
    long app_kb = process_private_kb(stock->app), before_kb = process_private_kb(shop->sidecar);
    int open = 0;
    for (int i = 0; i < CONNECTIONS; i++)
        open += (fds[i] = net_connect(shop->address, MESH_PORT)) >= 0;
    mesh_status(shop, "GET", "stock", "/"); // behind all of them: they are accepted
    long after_kb = process_private_kb(shop->sidecar);
    for (int i = 0; i < CONNECTIONS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    story_say("Memory that no other process shares:");
    story_head("|KB");
    story_row("an app|%ld", app_kb);
    story_row("the sidecar of stock|%ld", one_kb);
    story_row("the sidecar of price|%ld", other_kb);
    story_row("each of %d connections|%.1f", open, (double)(after_kb - before_kb) / open);
    printf("\n");
    story_say(
        "The notes say 50 to 100 MB of Envoy. That is another program with much more in it, "
        "so these figures say nothing about it: what holds for both is that each pod has "
        "its own.");
    double sidecar_us = process_cpu_us(stock->sidecar);
    for (int i = 0; i < QUESTIONS; i++)
        mesh_status(shop, "GET", "stock", "/");
    sidecar_us = (process_cpu_us(stock->sidecar) - sidecar_us) / QUESTIONS;
    claim_report(
        &overhead,
        holds_if(open == CONNECTIONS && one_kb > 500 && other_kb > 500 && sidecar_us > 5),
        "%ld KB and %ld KB of their own, and %.0f us of CPU time for each request", one_kb,
        other_kb, sidecar_us);
    mesh_end();
}
