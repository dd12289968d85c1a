// limit.c: scene rate: one client asks much too often, another one now and then.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim.h"
#include "measure.h"
#include "mesh.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define BURST     5
#define QUESTIONS 20

static const struct claim limits = {"4.69", "ch. 18.5",
                                    "rate limiting, without a change of the app", HOLDS, NULL};

void scene_rate(void)
{
    scene_check_server();
    mesh_begin();
    struct pod *greedy = pod_new("crawler"), *modest = pod_new("shop"),
               *stock = pod_new("stock");
    pod_start_app(stock, NULL);
    pod_start_sidecar(stock, "--rate", "1", "--burst", "5", NULL);
    pod_start_sidecar(greedy, NULL);
    pod_start_sidecar(modest, NULL);
    mesh_write_services();
    story_say(
        "Each identity may ask \"stock\" once a second, and %d times at once. \"crawler\" "
        "asks %d times, then \"shop\" asks once:",
        BURST, QUESTIONS);
    int passed = 0, refused = 0, retry_after = 0;
    int64_t began_ns = now_ns();
    for (int i = 0; i < QUESTIONS; i++) {
        struct mesh_answer *answer = mesh_ask(greedy, "GET", "stock", "/", "");
        const char *field = strstr(answer->fields, "Retry-After: ");
        passed += answer->status == 200;
        refused += answer->status == 429;
        if (answer->status == 429 && field)
            retry_after = atoi(field + strlen("Retry-After: "));
    }
    double seconds = ms_since(began_ns) / 1e3;
    int other = mesh_status(modest, "GET", "stock", "/");
    long asked = mesh_count(stock);
    story_head("who asks|200|429|Retry-After");
    story_row("crawler|%d|%d|%d s", passed, refused, retry_after);
    story_row("shop|%d|%d|-", other == 200, other == 429);
    // The machine may be slow: a second more is a token more.
    claim_report(&limits,
                 holds_if(passed >= BURST && passed <= BURST + seconds + 1 && refused > 0 &&
                          passed + refused == QUESTIONS && retry_after >= 1 && other == 200 &&
                          asked == passed + 1),
                 "crawler: %d of %d passed in %.2f s; shop was not disturbed; the app got %ld "
                 "requests",
                 passed, QUESTIONS, seconds, asked);
    mesh_end();
}
