// cores.c: more workers for work that only computes. As long as there are fewer workers than
// cores, one more worker computes more. Then one more worker only waits.
//
// The scene shows how many requests a second are answered, but that depends on what else runs
// on this machine. So it judges by two other figures, which the scheduler counts for each
// thread: how many workers had a core, on average, and how many could have run but had none.
#include <stdio.h>

#include "claim.h"
#include "lab.h"
#include "load.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define CONNECTIONS 64 // enough to keep all workers busy
#define ROUNDS      3  // rounds of all cases: the best figure of a case counts
#define ROUNDS_MAX  9  // the same, if other programs need the cores meanwhile
#define MEASURED_MS 100
#define TASKS_MAX   9    // threads: eight workers, and the loop
#define ROOM        0.5  // cores: if so much of them is idle, no other program needs it
#define MORE        1.2  // so many times as much is "more"
#define SLACK       0.15 // of a worker, or a core: the counters are not read at one moment

static const int workers[] = {1, 2, 4, 8};

#define CASES (sizeof workers / sizeof *workers)

struct result {
    double rate;        // answers a second
    double ran, waited; // threads that ran, and threads that waited for a core, on average
    double idle, busy;  // cores that had nothing to do, and cores that had, on average
};

// True: the kernel's two figures are all the time that the cores had. (It counts in ticks of
// the clock, so they are not exact.)
static bool is_whole(const struct result *result)
{
    double whole = (result->idle + result->busy) / usable_cores();
    return whole == 0 || (whole > 0.7 && whole < 1.4); // 0: this kernel does not say it
}

// Measures a pool of `count` workers; `best` becomes the result if it is a better one. False:
// the kernel's figures were not whole, and the result was not looked at.
static bool measure(int count, struct result *best)
{
    static struct load load;
    static struct load_target target;
    struct task before[TASKS_MAX] = {{0}}, after[TASKS_MAX] = {{0}};
    int tasks = count + 1; // threads: the workers, and the loop
    struct result result = {0};
    struct lab lab;
    target = (struct load_target){.path = "/cpu?ms=2", .connections = CONNECTIONS};
    lab_start(&lab, "pool", "--workers %d", count);
    load_open(&load, "127.0.0.1", lab.port, &target, 1);
    lab_warm_up(&lab, &load, before, tasks);
    struct cores_use use_before = lab_cores_use();
    int64_t began_ns = now_ns();
    load_run(&load, MEASURED_MS, 0);
    int64_t ns = now_ns() - began_ns;
    struct cores_use use = lab_cores_use();
    result.idle = (double)(use.idle_ns - use_before.idle_ns) / (double)ns;
    result.busy = (double)(use.busy_ns - use_before.busy_ns) / (double)ns;
    lab_tasks(&lab, after, tasks);
    for (int i = 0; i < tasks; i++) {
        result.ran += (double)(after[i].ran_ns - before[i].ran_ns) / (double)ns;
        result.waited += (double)(after[i].waited_ns - before[i].waited_ns) / (double)ns;
    }
    result.rate = (double)target.latency.total / load.seconds;
    load_close(&load);
    lab_stop(&lab);
    bool whole = is_whole(&result);
    if (whole && result.rate > best->rate)
        *best = result;
    return whole;
}

static const struct claim as_many = {
    "6.7", "guide §6", "as many workers as cores (here: for work that only computes)", HOLDS,
    NULL};

// True: one worker had at most one core; more workers had more of them; no core was idle when
// there were enough workers; and of eight workers those without a core waited.
static bool as_documented(const struct result *results, int cores)
{
    const struct result *one = &results[0], *eight = &results[CASES - 1];
    bool right = one->ran < 1 + SLACK && eight->waited > workers[CASES - 1] - cores - 2;
    double most = 0;
    for (size_t i = 0; i < CASES; i++) {
        right = right && results[i].rate > 0 && results[i].ran < cores + SLACK;
        right = right && (workers[i] < cores || results[i].idle < ROOM);
        if (results[i].ran > most)
            most = results[i].ran;
    }
    return right && (one->idle < ROOM || most > MORE * one->ran);
}

static void show(const struct result *results)
{
    double most = 0;
    for (size_t i = 0; i < CASES; i++)
        if (results[i].rate > most)
            most = results[i].rate;
    for (size_t i = 0; i < CASES; i++) {
        char label[40];
        snprintf(label, sizeof label, "workers: %d", workers[i]);
        story_bar(label, results[i].rate, most, "%.0f", results[i].rate);
    }
    story_head("workers, on average|compute|wait|cores busy|cores idle");
    for (size_t i = 0; i < CASES; i++)
        story_row("of %d|%.2f|%.2f|%.2f|%.2f", workers[i], results[i].ran, results[i].waited,
                  results[i].busy, results[i].idle);
}

void scene_cores(void)
{
    struct result results[CASES] = {{0}};
    const struct result *one = &results[0], *eight = &results[CASES - 1];
    int cores = usable_cores();
    bool measured[CASES] = {false}, all = false;
    story_say(
        "Requests that only compute (/cpu?ms=2), for pools of 1, 2, 4 and 8 workers. This "
        "program may use %d cores. Answers a second:",
        cores);
    story_say("");
    for (int round = 0;
         round < ROUNDS || (round < ROUNDS_MAX && !as_documented(results, cores)); round++) {
        all = true;
        for (size_t i = 0; i < CASES; i++) {
            measured[i] = measure(workers[i], &results[i]) || measured[i];
            all = all && measured[i];
        }
    }
    show(results);
    if (!all) {
        claim_report(&as_many, SKIPPED,
                     "busy and idle are not all of the cores' time here: /proc/stat leaves "
                     "some of it out, as in some virtual machines");
        return;
    }
    claim_report(
        &as_many, holds_if(as_documented(results, cores)),
        "1 worker has %.2f of %d cores, and leaves %.2f idle; of 8 workers %.2f compute, "
        "and %.2f can but have no core",
        one->ran, cores, one->idle, eight->ran, eight->waited);
}
