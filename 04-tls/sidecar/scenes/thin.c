// thin.c: scene thin: an app that speaks HTTP/1.0 asks one that speaks HTTP/1.0. Each question
// is a new connection, on both machines. How many are there between the machines?
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "fetch.h"
#include "mesh.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define QUESTIONS 30
#define ANSWER    "HTTP/1.0 200 OK\r\n\r\nold but well\n" // its end is the end of the connection

static const struct claim thin = {
    "4.74", "design patterns", "the client has a thin library (h1), the proxy has the rich one",
    HOLDS, NULL};

void scene_thin(void)
{
    static struct fetch f;
    struct sockaddr_storage sidecar;
    int whole = 0, connections = 0;
    scene_check_server();
    mesh_begin();
    struct pod *shop = pod_new("shop"), *stock = pod_new("stock");
    mesh_start_answering(stock, ANSWER, false, NULL);
    pod_start_sidecar(stock, NULL);
    pod_start_sidecar(shop, NULL);
    mesh_write_services();
    net_address(shop->address, MESH_PORT, SOCK_STREAM, &sidecar);
    story_say("%d questions of HTTP/1.0, to an app that ends each answer by closing:",
              QUESTIONS);
    for (int i = 0; i < QUESTIONS; i++) {
        enum fetch_result result = fetch_open(&f, &sidecar, 0);
        connections++;
        if (result == FETCH_OK)
            result = fetch_send(&f, "GET / HTTP/1.0\r\nHost: stock\r\n\r\n");
        if (result == FETCH_OK)
            result = fetch_answer(&f);
        whole += result == FETCH_OK && f.head.status == 200 && f.content.length == 13 &&
                 !f.head.keep_alive;
        fetch_close(&f);
    }
    double handshakes =
        mesh_metric(shop, "sidecar_handshakes_total{direction=\"outbound\",result=\"done\"}");
    story_head("between|connections");
    story_row("the app and its sidecar|%d", connections);
    story_row("the two sidecars (TLS handshakes)|%.0f", handshakes);
    story_say("The sidecars put each answer into chunks, so its end needs no end of their "
              "connection.");
    claim_report(&thin, holds_if(whole == QUESTIONS && handshakes == 1),
                 "%d of %d whole answers; %.0f handshake for %d connections of the app", whole,
                 QUESTIONS, handshakes, connections);
    mesh_end();
}
