// beside.c: see beside.h.
#include "beside.h"

#include <stdio.h>
#include <string.h>

#include "lab.h"
#include "load.h"
#include "story.h"

#define WARM_UP_MS  20
#define MEASURED_MS 5000 // at most

void beside_measure(const char *model, const char *options, const char *path, uint64_t times,
                    struct beside *result)
{
    static struct load load;
    static struct load_target targets[1 + BESIDE_OTHERS]; // the heavy one comes first
    static struct histogram all;
    struct lab lab;
    targets[0] = (struct load_target){.path = path, .connections = 1};
    for (int i = 1; i <= BESIDE_OTHERS; i++)
        targets[i] = (struct load_target){
            .path = "/cheap", .connections = 1, .pause_ms = BESIDE_PAUSE_MS};
    lab_start(&lab, model, "--workers %d %s", BESIDE_WORKERS, options);
    load_open(&load, "127.0.0.1", lab.port, targets, 1 + BESIDE_OTHERS);
    load_run(&load, WARM_UP_MS, 0);
    load_run(&load, MEASURED_MS, times);
    load_close(&load);
    lab_stop(&lab);
    *result = (struct beside){0};
    memset(&all, 0, sizeof all);
    for (int i = 1; i <= BESIDE_OTHERS; i++) {
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

void beside_show(const char *label, const struct beside *result, double full_ms)
{
    char text[60];
    snprintf(text, sizeof text, "%s", label);
    if (result->served < BESIDE_OTHERS)
        snprintf(text, sizeof text, "%s (%d of %d served)", label, result->served,
                 BESIDE_OTHERS);
    if (result->served)
        story_bar(text, result->unlucky_ms, full_ms, "%.1f ms", result->unlucky_ms);
    else
        story_bar(text, 0, 1, "only the one whose requests are heavy");
}
