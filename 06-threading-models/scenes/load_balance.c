// load_balance.c: connections are shared out evenly; work is not. Some clients want a lot, and
// the acceptor happens to give them to the same loop.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "lab.h"
#include "load.h"
#include "scenes.h"
#include "story.h"

#define WORKERS     4
#define CLIENTS     16 // each in turn goes to the next of the readers
#define HEAVY       3  // numbers 0, 4 and 8: all of them go to reader 0, and so does number 12
#define HEAVY_MS    2  // of CPU time that a heavy request takes; there is no pause between two
#define PAUSE_MS    2  // of the light ones
#define MEASURED_MS 400
#define TASKS       (WORKERS + 1) // threads: with the one in front
#define MOST        60.0          // % of the work: so much is lopsided
#define FAIR        50.0          // and this is not: of four workers, each should have 25

struct result {
    double share[WORKERS];          // % of all processor time that the workers had, sorted
    double heavy_rate;              // answers a second, in all
    double beside_ms, elsewhere_ms; // p99 of the light one with the heavy ones, of the others
};

// What each worker has had of the processors since `before`: the others have had next to none.
static void read_shares(const struct lab *lab, const struct task *before, double share[WORKERS])
{
    struct task after[TASKS];
    double sum = 0;
    memset(share, 0, WORKERS * sizeof *share);
    if (lab_tasks(lab, after, TASKS) != TASKS)
        return;
    for (int i = 0; i < TASKS; i++) {
        double ran = (double)(after[i].ran_ns - before[i].ran_ns);
        sum += ran;
        for (int at = 0; at < WORKERS; at++) // the WORKERS largest, in order
            if (ran > share[at]) {
                memmove(share + at + 1, share + at, (size_t)(WORKERS - 1 - at) * sizeof *share);
                share[at] = ran;
                break;
            }
    }
    for (int i = 0; i < WORKERS; i++)
        share[i] *= sum > 0 ? 100 / sum : 0;
}

static void measure(const char *model, struct result *result)
{
    static struct load load;
    static struct load_target targets[CLIENTS];
    static struct histogram elsewhere;
    struct task before[TASKS];
    struct lab lab;
    uint64_t heavy = 0;
    for (int i = 0; i < CLIENTS; i++)
        targets[i] = i % WORKERS == 0 && i / WORKERS < HEAVY
                         ? (struct load_target){.path = "/cpu?ms=2", .connections = 1}
                         : (struct load_target){
                               .path = "/cheap", .connections = 1, .pause_ms = PAUSE_MS};
    lab_start(&lab, model, "--workers %d", WORKERS);
    load_open(&load, "127.0.0.1", lab.port, targets, CLIENTS);
    lab_warm_up(&lab, &load, before, TASKS);
    load_run(&load, MEASURED_MS, 0);
    read_shares(&lab, before, result->share);
    load_close(&load);
    lab_stop(&lab);
    memset(&elsewhere, 0, sizeof elsewhere);
    for (int i = 0; i < CLIENTS; i++)
        if (i % WORKERS)
            histogram_merge(&elsewhere, &targets[i].latency);
        else if (i / WORKERS < HEAVY)
            heavy += targets[i].latency.total;
    result->heavy_rate = (double)heavy / load.seconds;
    result->beside_ms =
        (double)histogram_percentile(&targets[HEAVY * WORKERS].latency, 99) / 1e6;
    result->elsewhere_ms = (double)histogram_percentile(&elsewhere, 99) / 1e6;
}

static const struct claim balance = {
    "6.5", "guide §6", "readers balance connections, not work; a worker pool balances work",
    HOLDS, NULL};

static void show(const char *model, const struct result *result)
{
    story_say("");
    for (int i = 0; i < WORKERS; i++) {
        char label[40];
        snprintf(label, sizeof label, "%s, worker %d", model, i + 1);
        story_bar(label, result->share[i], 100, "%.0f %% of the work", result->share[i]);
    }
}

void scene_load_balance(void)
{
    struct result readers, pool;
    story_say("%d clients, %d workers. %d clients ask for /cpu?ms=%d without a pause; to the",
              CLIENTS, WORKERS, HEAVY, HEAVY_MS);
    story_say("acceptor they are like the others. Work: time on a processor.");
    measure("readers", &readers);
    measure("pool", &pool);
    show("readers", &readers);
    show("pool", &pool);
    story_head("99 % of the light requests|readers|pool");
    story_row("the one client beside them|%.1f ms|%.1f ms", readers.beside_ms, pool.beside_ms);
    story_row("all others|%.1f ms|%.1f ms", readers.elsewhere_ms, pool.elsewhere_ms);
    story_row("heavy requests a second|%.0f|%.0f", readers.heavy_rate, pool.heavy_rate);
    claim_report(&balance,
                 readers.share[0] > MOST && pool.share[0] > 0 && pool.share[0] < FAIR ? HOLDS
                                                                                      : UNCLEAR,
                 "readers: %d connections each, and one has %.0f %% of the work; pool: the "
                 "busiest has %.0f %%",
                 CLIENTS / WORKERS, readers.share[0], pool.share[0]);
}
