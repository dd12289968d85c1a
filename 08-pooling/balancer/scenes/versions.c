// versions.c: a new version takes over while clients are served: all at once (blue and green),
// or a little first (the canary).
#include "claim.h"
#include "lab.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define CLIENTS  4
#define REQUESTS 400

static struct lab lab;

// Blue takes nothing new; it is stopped when it has answered what it has.
static void switch_over(void)
{
    lab_change(&lab, "backend=127.0.0.1:%d&weight=1", lab.ports[1]);
    lab_change(&lab, "backend=127.0.0.1:%d&weight=0", lab.ports[0]);
    while (lab_figure(&lab, 0, "active") > 0)
        sleep_ms(1);
    spawn_stop(lab.backends[0]);
    lab.backends[0] = 0;
}

static void stop_at_once(void)
{
    lab_kill(&lab, 0);
}

static struct outcome deploy(const int weights[2], const char *options, void (*at_half)(void))
{
    lab_backend(&lab, "--delay-ms 2");
    lab_backend(&lab, "--delay-ms 2");
    lab_balancer(&lab, options, weights);
    struct load load = {
        .port = lab.port, .clients = CLIENTS, .requests = REQUESTS, .at_half = at_half};
    struct outcome o = lab_load(&load);
    lab_end(&lab);
    return o;
}

static const struct claim zero_downtime = {
    "8.30", "load balancing", "zero-downtime deployments: blue-green, canary", HOLDS, NULL};

void scene_versions(void)
{
    static const int blue[2] = {1, 0}, canary[2] = {95, 5};
    story_say("%d clients send %d requests. Backend a is the old version, b the new one.",
              CLIENTS, REQUESTS);
    struct outcome naive =
        deploy(blue, "--check-ms 0 --eject-after 0 --no-retry", stop_at_once);
    struct outcome green = deploy(blue, "--check-ms 0", switch_over);
    struct outcome some = deploy(canary, "--check-ms 0 --algorithm weighted-round-robin", NULL);
    story_head("how|a (old)|b (new)|errors");
    story_row("a is killed, b has weight 0|%d|%d|%d", naive.answers[0], naive.answers[1],
              naive.errors);
    story_row("blue-green: b gets 1, a gets 0, then a is stopped|%d|%d|%d", green.answers[0],
              green.answers[1], green.errors);
    story_row("canary: weights 95 and 5|%d|%d|%d", some.answers[0], some.answers[1],
              some.errors);
    claim_report(
        &zero_downtime,
        holds_if(green.errors == 0 && green.answers[0] > 0 && green.answers[1] > 0 &&
                 some.errors == 0 && some.answers[1] == REQUESTS / 20 && naive.errors > 0),
        "%d errors of %d requests; the canary gets %d of %d; without a switch: %d errors",
        green.errors, REQUESTS, some.answers[1], REQUESTS, naive.errors);
}
