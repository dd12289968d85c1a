// counted.c: scene metrics: what the sidecar of an app has counted, without the app.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "mesh.h"
#include "scenes.h"
#include "story.h"

#define GOOD 12
#define BAD  3
#define SLOW 2

static const struct claim metrics = {
    "4.73", "ch. 18.5", "metrics (latency, errors, throughput), without a change of the app",
    HOLDS, NULL};

// Prints the lines of the text that begin with `name` and have `part` in them.
static void print_metric(const char *text, const char *name, const char *part)
{
    char line[200];
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        if (strncmp(line, name, strlen(name)) || !strstr(line, part))
            continue;
        int first = (int)strcspn(line, "{"); // the labels have a line of their own
        story_say("    | %.*s", first, line);
        story_say("    |     %s", line + first);
    }
}

void scene_metrics(void)
{
    static char text[MESH_TEXT];
    scene_check_server();
    mesh_begin();
    struct pod *shop = pod_new("shop"), *stock = pod_start("stock");
    pod_start_sidecar(shop, NULL);
    mesh_write_services();
    story_say(
        "shop asks stock %d times; %d times the app answers 500, %d times it takes 30 ms. "
        "From GET /metrics of stock's sidecar:",
        GOOD + BAD + SLOW, BAD, SLOW);
    for (int i = 0; i < GOOD; i++)
        mesh_status(shop, "GET", "stock", "/");
    for (int i = 0; i < BAD; i++)
        mesh_status(shop, "GET", "stock", "/?status=500");
    for (int i = 0; i < SLOW; i++)
        mesh_status(shop, "GET", "stock", "/?ms=30");
    snprintf(text, sizeof text, "%s", mesh_ask_admin(stock, "/metrics")->text);
    print_metric(text, "sidecar_requests_total", "");
    print_metric(text, "sidecar_request_duration_seconds_bucket", "le=\"0.025\"");
    print_metric(text, "sidecar_request_duration_seconds_bucket", "le=\"+Inf\"");
    print_metric(text, "sidecar_handshakes_total", "inbound");
#define OF "{direction=\"inbound\",peer=\"shop\""
    double good = mesh_metric(stock, "sidecar_requests_total" OF ",code=\"2xx\"}");
    double bad = mesh_metric(stock, "sidecar_requests_total" OF ",code=\"5xx\"}");
    double all = mesh_metric(stock, "sidecar_request_duration_seconds_count" OF "}");
    double fast =
        mesh_metric(stock, "sidecar_request_duration_seconds_bucket" OF ",le=\"0.025\"}");
    double seen =
        mesh_metric(shop, "sidecar_requests_total{direction=\"outbound\",peer=\"stock\","
                          "code=\"2xx\"}");
    claim_report(
        &metrics,
        holds_if(good == GOOD + SLOW && bad == BAD && all == GOOD + BAD + SLOW &&
                 fast <= GOOD + BAD && seen == good),
        "both sidecars have counted %.0f good ones; %.0f errors; %.0f within 25 ms, the "
        "%d slow ones are not among them",
        good, bad, fast, SLOW);
    mesh_end();
}
