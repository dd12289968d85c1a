// cpu_bound.c: one client whose requests take long, and eight whose requests do not.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "lab.h"
#include "load.h"
#include "scenes.h"
#include "story.h"

#define HEAVY_MS    40 // of CPU time that a heavy request takes
#define OTHERS      8
#define PAUSE_MS    1 // the other clients pause so long between two requests
#define WORKERS     4
#define WARM_UP_MS  20
#define HEAVY_TIMES 5    // a measurement lasts until so many heavy requests are answered
#define MEASURED_MS 5000 // at most
#define APART       4    // the loop's median is more than so many times that of thread

static const struct claim blocks = {
    "6.4", "guide §6", "CPU-bound work on the one thread: everything else waits", HOLDS, NULL};

struct result {
    double half_ms;    // the median of all answers to the other clients
    double unlucky_ms; // the p99 of the client that waits longest
    double answers;    // answers to the other clients for each heavy request
    int served;        // other clients that had an answer
};

static void measure(const char *model, struct result *result)
{
    static struct load load;
    static struct load_target targets[1 + OTHERS]; // the heavy one comes first
    static struct histogram all;
    struct lab lab;
    targets[0] = (struct load_target){.path = "/cpu?ms=40", .connections = 1};
    for (int i = 1; i <= OTHERS; i++)
        targets[i] =
            (struct load_target){.path = "/cheap", .connections = 1, .pause_ms = PAUSE_MS};
    lab_start(&lab, model, "--workers %d", WORKERS);
    load_open(&load, "127.0.0.1", lab.port, targets, 1 + OTHERS);
    load_run(&load, WARM_UP_MS, 0);
    load_run(&load, MEASURED_MS, HEAVY_TIMES);
    load_close(&load);
    lab_stop(&lab);
    *result = (struct result){0};
    memset(&all, 0, sizeof all);
    for (int i = 1; i <= OTHERS; i++) {
        double ms = (double)histogram_percentile(&targets[i].latency, 99) / 1e6;
        if (ms > result->unlucky_ms)
            result->unlucky_ms = ms;
        result->served += targets[i].served;
        histogram_merge(&all, &targets[i].latency);
    }
    uint64_t heavy = targets[0].latency.total;
    result->half_ms = (double)histogram_percentile(&all, 50) / 1e6;
    result->answers = (double)all.total;
    if (heavy > 0)
        result->answers /= (double)heavy;
}

static void show(const struct result results[LAB_MODELS_MAX])
{
    double longest_ms = 0;
    for (int i = 0; i < model_count(); i++)
        if (results[i].unlucky_ms > longest_ms)
            longest_ms = results[i].unlucky_ms;
    for (int i = 0; i < model_count(); i++) {
        const struct result *r = &results[i];
        char label[40];
        snprintf(label, sizeof label, "%s", models[i].name);
        if (r->served < OTHERS)
            snprintf(label, sizeof label, "%s (%d of %d served)", models[i].name, r->served,
                     OTHERS);
        if (r->served)
            story_bar(label, r->unlucky_ms, longest_ms, "%.1f ms", r->unlucky_ms);
        else
            story_bar(label, 0, 1, "only the one that computes");
    }
}

void scene_cpu_bound(void)
{
    struct result results[LAB_MODELS_MAX];
    const struct result *loop = &results[lab_model("loop")],
                        *thread = &results[lab_model("thread")];
    story_say("One client asks for /cpu?ms=%d, again and again. %d others ask for /cheap, and",
              HEAVY_MS, OTHERS);
    story_say(
        "pause for %d ms. How long do 99 %% of the requests of one of these clients take?",
        PAUSE_MS);
    story_say("(The one that waits longest.)");
    story_say("");
    for (int i = 0; i < model_count(); i++)
        measure(models[i].name, &results[i]);
    show(results);
    claim_report(
        &blocks,
        holds_if(loop->half_ms > HEAVY_MS / 2 && loop->half_ms > APART * thread->half_ms),
        "loop: half of the others' requests take more than %.1f ms, and %.0f are answered for "
        "each heavy one; thread: %.2f ms, and %.0f",
        loop->half_ms, loop->answers, thread->half_ms, thread->answers);
}
