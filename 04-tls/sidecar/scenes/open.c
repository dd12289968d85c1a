// open.c: scene breaker: an instance answers only errors. After some of them its breaker
// opens; then one request looks whether it is well again.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "measure.h"
#include "mesh.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define FAILURES  5
#define QUESTIONS 20
#define OPEN_MS   400
#define BREAKER   "the breaker of each is open" // in what the sidecar says

static const struct claim opens = {"4.68", "ch. 18.5",
                                   "a circuit breaker keeps requests from a service that fails",
                                   HOLDS, NULL};

static bool is_half_open(const struct pod *pod)
{
    return !strstr(mesh_ask(pod, "GET", "stock", "/?status=503", "")->text, BREAKER);
}

void scene_breaker(void)
{
    static const char *const who[] = {"the app", "the sidecar"};
    scene_check_server();
    mesh_begin();
    struct pod *shop = pod_new("shop"), *stock = pod_start("stock");
    pod_start_sidecar(shop, "--breaker", "5", "--open-ms", "400", "--tries", "1", NULL);
    mesh_write_services();
    story_say("The app \"stock\" takes 20 ms and answers 503. %d questions:", QUESTIONS);
    story_head("answer|by|after");
    int64_t began_ns = now_ns();
    for (int i = 0; i < QUESTIONS; i++) {
        struct mesh_answer *answer = mesh_ask(shop, "GET", "stock", "/?status=503&ms=20", "");
        bool by_sidecar = strstr(answer->text, BREAKER) != NULL;
        if (i < FAILURES || i == QUESTIONS - 1)
            story_row("%d|%s|%.1f ms", answer->status, who[by_sidecar], answer->ms);
        else if (i == FAILURES)
            story_row("...||");
    }
    long asked = mesh_count(stock);
    // On a machine that stands still for so long, a pause passes unnoticed.
    long pauses = (long)(ms_since(began_ns) / OPEN_MS);
    story_say("The app was asked %ld times. After 400 ms, one request may try. It fails, too:",
              asked);
    bool tried = mesh_await(shop, is_half_open);
    began_ns = now_ns();
    int next = mesh_status(shop, "GET", "stock", "/");
    bool late = ms_since(began_ns) > OPEN_MS / 2;
    long probes = mesh_count(stock) - asked;
    story_say("%ld request went through, and the one behind it got %d from the sidecar again. "
              "After 400 ms more the app is well:",
              probes, next);
    sleep_ms(OPEN_MS + 50);
    int well = mesh_status(shop, "GET", "stock", "/"),
        still = mesh_status(shop, "GET", "stock", "/");
    story_say("%d, %d: the breaker is closed.", well, still);
    claim_report(
        &opens,
        holds_if(asked >= FAILURES && asked <= FAILURES + pauses && tried &&
                 (late || (probes == 1 && next == 503)) && well == 200 && still == 200),
        "of %d requests the app got %ld, then one after the pause; then all", QUESTIONS, asked);
    mesh_end();
}
