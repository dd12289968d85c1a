// open.c: scene breaker: an instance answers only errors. After some of them its breaker
// opens; then one request looks whether it is well again.
//

#include <stdio.h>

#include "claim.h"
#include "mesh.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define FAILURES  5
#define QUESTIONS 20

static const struct claim opens = {"4.68", "ch. 18.5",
                                   "a circuit breaker keeps requests from a service that fails",
                                   HOLDS, NULL};

static bool is_half_open(const struct pod *pod)
{
    return mesh_ask(pod, "GET", "stock", "/?status=503", "")->text[0] != '5';
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
    for (int i = 0; i < QUESTIONS; i++) {
        struct mesh_answer *answer = mesh_ask(shop, "GET", "stock", "/?status=503&ms=20", "");
        bool by_sidecar = answer->text[0] == '5';
        if (i < FAILURES || i == QUESTIONS - 1)
            story_row("%d|%s|%.1f ms", answer->status, who[by_sidecar], answer->ms);
        else if (i == FAILURES)
            story_row("...||");
    }
    long asked = mesh_count(stock);
    story_say("The app was asked %ld times. After 400 ms, one request may try. It fails, too:",
              asked);
    bool tried = mesh_await(shop, is_half_open, 5000);
    int next = mesh_status(shop, "GET", "stock", "/");
    long probes = mesh_count(stock) - asked;
    story_say("%ld request went through, and the one behind it got %d from the sidecar again. "
              "After 400 ms more the app is well:",
              probes, next);
    sleep_ms(450);
    int well = mesh_status(shop, "GET", "stock", "/"),
        still = mesh_status(shop, "GET", "stock", "/");
    story_say("%d, %d: the breaker is closed.", well, still);
    claim_report(&opens,
                 holds_if(asked == FAILURES && tried && probes == 1 && next == 503 &&
                          well == 200 && still == 200),
                 "of %d requests the app got %ld, then one after the pause; then all",
                 QUESTIONS, asked);
    mesh_end();
}
