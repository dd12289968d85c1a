// load_balance.c: each worker gets as many connections as the others, but not as much work.
// Some clients want much work, and by chance the acceptor gives them to the same loop.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim.h"
#include "fetch.h"
#include "lab.h"
#include "load.h"
#include "scenes.h"
#include "story.h"

#define WORKERS     4
#define CLIENTS     16 // the acceptor gives each client to the next reader
#define HEAVY       3  // clients 0, 4 and 8: all of them go to reader 0, and so does client 12
#define HEAVY_MS    2  // of CPU time for a heavy request; there is no pause between two
#define PAUSE_MS    5  // a light client pauses so long between two requests
#define MEASURED_MS 400
#define TASKS       (WORKERS + 1) // threads: the workers, and the one that accepts
#define MOST        60.0          // % of the work for one worker: more is called lopsided
#define FAIR        50.0          // and less is called fair; 25 would be equal

struct result {
    double share[WORKERS]; // % of the processor time of all workers, the largest first
    double heavy_rate;     // heavy requests that were answered in a second
    double beside_ms;      // p99 of the light client that shares a reader with the heavy ones
    double elsewhere_ms;   // p99 of all other light clients
};

// Sets share[] to each worker's part of the processor time since `before`. (The thread that
// accepts has had nearly none: the WORKERS largest parts are those of the workers.)
static void read_shares(const struct lab *lab, const struct task *before, double share[WORKERS])
{
    struct task after[TASKS];
    double sum = 0;
    memset(share, 0, WORKERS * sizeof *share);
    if (lab_tasks(lab, after, TASKS) != TASKS)
        return;
    for (int i = 0; i < TASKS; i++) {
        double ran = (double)(after[i].ran_ns - before[i].ran_ns);
        for (int at = 0; at < WORKERS; at++) // the WORKERS largest, in order
            if (ran > share[at]) {
                memmove(share + at + 1, share + at, (size_t)(WORKERS - 1 - at) * sizeof *share);
                share[at] = ran;
                break;
            }
    }
    for (int i = 0; i < WORKERS; i++)
        sum += share[i];
    for (int i = 0; sum > 0 && i < WORKERS; i++)
        share[i] *= 100 / sum;
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
        targets[i] =
            (struct load_target){.path = "/cheap", .connections = 1, .pause_ms = PAUSE_MS};
    for (int i = 0; i < HEAVY; i++)
        targets[i * WORKERS] = (struct load_target){.path = "/cpu?ms=2", .connections = 1};
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

// Opens CLIENTS connections and asks each for its worker. Returns how many of them the worker
// has that has most; 0: a worker has none.
static int most_connections(const char *model)
{
    static struct fetch clients[CLIENTS];
    struct sockaddr_storage server;
    struct lab lab;
    int of[WORKERS] = {0}, most = 0;
    bool all = true;
    lab_start(&lab, model, "--workers %d", WORKERS);
    net_address("127.0.0.1", lab.port, SOCK_STREAM, &server);
    for (int i = 0; i < CLIENTS; i++) {
        struct fetch *client = &clients[i];
        fetch_or_die(client, fetch_open(client, &server, 0));
        fetch_or_die(client, fetch_ask(client, "GET", "/who", "", NULL));
        const char *worker = strstr(client->bytes, "\nworker: ");
        if (worker)
            of[atoi(worker + 9) % WORKERS]++;
    }
    for (int i = 0; i < CLIENTS; i++)
        fetch_close(&clients[i]);
    lab_stop(&lab);
    for (int i = 0; i < WORKERS; i++) {
        all = all && of[i];
        if (of[i] > most)
            most = of[i];
    }
    if (!all)
        return 0;
    return most;
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
    int most = most_connections("readers");
    measure("readers", &readers);
    measure("pool", &pool);
    show("readers", &readers);
    show("pool", &pool);
    story_head("99 % of the light requests|readers|pool");
    story_row("the one client beside them|%.1f ms|%.1f ms", readers.beside_ms, pool.beside_ms);
    story_row("all others|%.1f ms|%.1f ms", readers.elsewhere_ms, pool.elsewhere_ms);
    story_row("heavy requests a second|%.0f|%.0f", readers.heavy_rate, pool.heavy_rate);
    bool equal = most == CLIENTS / WORKERS && readers.share[WORKERS - 1] > 0;
    bool fair = pool.share[0] > 0 && pool.share[0] < FAIR;
    claim_report(&balance, holds_if(equal && readers.share[0] > MOST && fair),
                 "readers: no worker has more than %d of %d connections, and one has %.0f %% "
                 "of the work; pool: the busiest has %.0f %%",
                 most, CLIENTS, readers.share[0], pool.share[0]);
}
