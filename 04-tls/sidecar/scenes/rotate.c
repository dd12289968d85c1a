// rotate.c: scene rotate: both sidecars get new certificates, without a restart, while requests
// come.
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "load.h"
#include "mesh.h"
#include "mesh_ca.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "stranger.h"

#define QUESTIONS 100 // between two changes

static const struct claim rotation = {
    "4.75", "ch. 18.5", "(ours) certificates are exchanged without a restart", HOLDS, NULL};

// The serial number of the certificate that the sidecar shows.
static void serial_of(const struct pod *pod, char serial[50])
{
    char keys[MESH_PATH];
    snprintf(keys, sizeof keys, "%s", mesh_path("keys"));
    struct stranger stranger =
        stranger_ask(pod->address, MESH_INBOUND, keys, keys, pod->service);
    snprintf(serial, 50, "%s", stranger.serial);
}

void scene_rotate(void)
{
    char serial[3][50];
    scene_check_server();
    mesh_begin();
    struct pod *shop = pod_new("shop"), *stock = pod_start("stock");
    pod_start_sidecar(shop, NULL);
    mesh_write_services();
    serial_of(stock, serial[0]);
    story_say(
        "shop asks stock again and again. Meanwhile stock gets a new certificate, then shop "
        "gets one (kill -HUP):");
    load_start(shop, "stock");
    load_await(QUESTIONS);
    struct pod *both[] = {stock, shop};
    for (int i = 0; i < 2; i++) {
        mesh_ca_issue_service(mesh_path("keys"), "workbench.test", both[i]->service);
        kill(both[i]->sidecar, SIGHUP);
        load_await(QUESTIONS);
    }
    double handshakes =
        mesh_metric(shop, "sidecar_handshakes_total{direction=\"outbound\",result=\"done\"}");
    struct load_result result = load_stop();
    serial_of(stock, serial[1]);
    story_head("the certificate of stock|its serial number");
    story_row("before|%.16s...", serial[0]);
    story_row("after|%.16s...", serial[1]);
    story_say("%d requests, %d failed, the slowest took %.1f ms; %.0f handshakes of shop's "
              "sidecar: one for each of its own two certificates.",
              result.asked, result.failed, result.slowest_ms, handshakes);
    claim_report(
        &rotation,
        holds_if(result.failed == 0 && strcmp(serial[0], serial[1]) && handshakes >= 2),
        "%d of %d requests failed, and new connections show the new certificate", result.failed,
        result.asked);
    mesh_end();
}
