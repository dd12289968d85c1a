// hop.c: scene hop: the same question, without sidecars and through two of them: how long does
// it take, and how much CPU time?
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim.h"
#include "fetch.h"
#include "measure.h"
#include "mesh.h"
#include "net.h"
#include "sanitized.h"
#include "scenes.h"
#include "story.h"

#define QUESTIONS 1000
#define FEW       100 // before the measurement: connections, caches
#define NOTE_US   1000
#define PLAIN_US  50 // without sidecars, on a machine that has nothing else to do
#define SLOWED    8  // times as slow as it is, at most, is a sidecar with a sanitizer in it

static const struct claim extra_hop = {
    "4.24", "ch. 18.5", "an extra hop through the sidecar, ~1 ms typically", NOT_HERE,
    "with kept connections the way through both sidecars takes some tenths of a millisecond at "
    "most; what they need is CPU time"};

static double us[2][QUESTIONS];

static void ask(struct fetch *f, double *took_us)
{
    int64_t began_ns = now_ns();
    enum fetch_result result = fetch_send(f, "GET / HTTP/1.1\r\nHost: stock\r\n\r\n");
    if (result == FETCH_OK)
        result = fetch_answer(f);
    if (!fetch_or_die(f, result) || f->head.status != 200)
        die("the answer is %d", f->head.status);
    *took_us = ms_since(began_ns) * 1e3;
}

static void connect_to_port(struct fetch *f, const struct pod *pod, int port)
{
    struct sockaddr_storage address;
    net_address(pod->address, port, SOCK_STREAM, &address);
    fetch_or_die(f, fetch_open(f, &address, 0));
}

static double part(double *values, int percent)
{
    median_of(values, QUESTIONS); // sorts them
    return values[QUESTIONS * percent / 100];
}

void scene_hop(void)
{
    static struct fetch direct, through;
    double none_us;
    scene_check_server();
    mesh_begin();
    struct pod *shop = pod_new("shop"), *stock = pod_start("stock");
    pod_start_sidecar(shop, NULL);
    mesh_write_services();
    connect_to_port(&direct, stock, MESH_APP);
    connect_to_port(&through, shop, MESH_PORT);
    for (int i = 0; i < FEW; i++) {
        ask(&direct, &none_us);
        ask(&through, &none_us);
    }
    double app_us = process_cpu_us(stock->app), shop_us = process_cpu_us(shop->sidecar),
           stock_us = process_cpu_us(stock->sidecar);
    for (int i = 0; i < QUESTIONS; i++) { // in turn: what disturbs one disturbs the other
        ask(&direct, &us[0][i]);
        ask(&through, &us[1][i]);
    }
    shop_us = (process_cpu_us(shop->sidecar) - shop_us) / QUESTIONS;
    stock_us = (process_cpu_us(stock->sidecar) - stock_us) / QUESTIONS;
    app_us = (process_cpu_us(stock->app) - app_us) / (2 * QUESTIONS); // it answers both ways
    fetch_close(&direct);
    fetch_close(&through);
    double median[2] = {part(us[0], 50), part(us[1], 50)};
    double quick[2] = {part(us[0], 1), part(us[1], 1)};
    story_say("%d questions each way, in turn, on kept connections:", QUESTIONS);
    story_head("us for a question|quickest 1%|median|99%");
    story_row("without sidecars|%.0f|%.0f|%.0f", quick[0], median[0], part(us[0], 99));
    story_row("through two of them|%.0f|%.0f|%.0f", quick[1], median[1], part(us[1], 99));
    story_row("the difference|%.0f|%.0f|", quick[1] - quick[0], median[1] - median[0]);
    story_head("CPU us for a question|the app|outbound|inbound");
    story_row("|%.0f|%.0f|%.0f", app_us, shop_us, stock_us);
    // The quickest hundredth: what a busy machine adds to the others is not the sidecars'.
    // And where a question without sidecars is slow, too, the limit moves with it.
    double extra_us = quick[1] - quick[0], limit_us = NOTE_US / 2.0;
    if (quick[0] > PLAIN_US)
        limit_us *= quick[0] / PLAIN_US;
    if (SANITIZED)
        limit_us *= SLOWED;
    enum verdict verdict = UNCLEAR;
    if (extra_us < limit_us)
        verdict = NOT_HERE;
    claim_report(
        &extra_hop, verdict,
        "both sidecars together add %.0f us (the quickest 1 %%; median %.0f us), and %.0f "
        "us of CPU time",
        extra_us, median[1] - median[0], shop_us + stock_us);
    mesh_end();
}
