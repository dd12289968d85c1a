// models.c: seven servers, three kinds of work, and in each column who is best.
#include <stdio.h>

#include "claim.h"
#include "family.h"
#include "lab.h"
#include "load.h"
#include "scenes.h"
#include "story.h"
#include "text.h"

#define CONNECTIONS 16
#define WORKERS     4 // of prefork, readers and pool
#define WARM_UP_MS  20
#define MEASURED_MS 100
#define TRIES       3
#define MORE        1.2 // times as many answers are more
#define AT_ONCE     2   // requests that wait at once are more than one after the other
#define IO_MS       5   // that a request of the third kind waits
#define ROOM        0.5 // of a core: so much is idle where nobody else needs it
#define AS_GOOD     1.1 // so close to the best, it is as good

#define NAME_COLUMNS   8 // of the table
#define SERVED_COLUMNS 6
#define FIGURE_COLUMNS 7

enum work { CHEAP, CPU, IO, WORKS };

static const char *const paths[WORKS] = {"/cheap", "/cpu?ms=1", "/io?ms=5"};

// The table's columns; of the first ones the most is best, of all others the least.
enum column {
    RATE,                   // thousands of answers a second: one for each work
    HALF = RATE + WORKS,    // milliseconds in which half of the answers are there
    NEARLY = HALF + WORKS,  // and 99 %
    TASKS = NEARLY + WORKS, // processes and threads
    SWITCHES,               // of contexts, for each /cheap
    MEMORY,                 // MB
    COLUMNS
};

struct result {
    double figures[COLUMNS];
    int served;  // connections that had an answer, of CONNECTIONS
    double idle; // cores of this machine that had nothing to do while it computed
};

static struct result results[LAB_MODELS];

// One model, one kind of work.
static void compare(enum lab_model model, enum work work)
{
    static struct load load;
    static struct load_target target;
    struct result *result = &results[model];
    struct family before, after;
    struct lab lab;
    lab_start(&lab, lab_models[model], "--workers %d", WORKERS);
    target = (struct load_target){.path = paths[work], .connections = CONNECTIONS};
    load_open(&load, "127.0.0.1", lab.port, &target, 1);
    load_run(&load, WARM_UP_MS, 0);
    family_read(lab.pid, &before);
    int64_t idle_ns = lab_idle_ns();
    load_run(&load, MEASURED_MS, 0);
    idle_ns = lab_idle_ns() - idle_ns;
    family_read(lab.pid, &after);
    load_close(&load);
    lab_stop(&lab);
    double answers = (double)target.latency.total;
    double *figures = result->figures;
    figures[RATE + work] = answers / load.seconds / 1000;
    figures[HALF + work] = (double)histogram_percentile(&target.latency, 50) / 1e6;
    figures[NEARLY + work] = (double)histogram_percentile(&target.latency, 99) / 1e6;
    if (work == CPU)
        result->idle = (double)idle_ns / 1e9 / load.seconds;
    if (work == CHEAP) {
        long switches = after.switches - before.switches;
        figures[TASKS] = after.threads;
        figures[SWITCHES] = answers > 0 ? (double)switches / answers : 0;
        figures[MEMORY] = (double)after.resident_kb / 1024;
        result->served = target.served;
    }
}

// ---- the table -----------------------------------------------------------------------------

// Only who serves everybody can be best.
static bool is_best(int model, enum column column)
{
    double mine = results[model].figures[column];
    if (results[model].served < CONNECTIONS)
        return false;
    for (int i = 0; i < LAB_MODELS; i++) {
        double theirs = results[i].figures[column];
        if (results[i].served == CONNECTIONS &&
            (column < HALF ? theirs > mine * AS_GOOD : theirs * AS_GOOD < mine))
            return false;
    }
    return true;
}

static void print_figure(int model, enum column column)
{
    char text[32];
    bool best = is_best(model, column);
    double figure = results[model].figures[column];
    int digits = column == TASKS ? 0 : figure < 9.995 ? 2 : 1;
    snprintf(text, sizeof text, "%.*f%s", digits, figure, best ? "*" : " ");
    if (best)
        fputs(paint(GREEN), stdout);
    cell(text, FIGURE_COLUMNS, true);
    if (best)
        fputs(paint(PLAIN), stdout);
}

static void print_heads(void)
{
    printf("\n  %s", paint(BOLD));
    cell("", NAME_COLUMNS + SERVED_COLUMNS, false);
    for (int work = 0; work < WORKS; work++) {
        char text[40];
        snprintf(text, sizeof text, "%s ", paths[work]);
        cell(text, 3 * FIGURE_COLUMNS, true);
    }
    printf("\n  ");
    cell("", NAME_COLUMNS, false);
    cell("served", SERVED_COLUMNS, true);
    for (int work = 0; work < WORKS; work++) {
        cell("k/s ", FIGURE_COLUMNS, true);
        cell("p50 ", FIGURE_COLUMNS, true);
        cell("p99 ", FIGURE_COLUMNS, true);
    }
    cell("tasks ", FIGURE_COLUMNS, true);
    cell("sw. ", FIGURE_COLUMNS, true);
    cell("MB ", FIGURE_COLUMNS, true);
    printf("%s\n", paint(PLAIN));
}

static void print_row(int model)
{
    char served[16];
    snprintf(served, sizeof served, "%d/%d", results[model].served, CONNECTIONS);
    fputs("  ", stdout);
    cell(lab_models[model], NAME_COLUMNS, false);
    cell(served, SERVED_COLUMNS, true);
    for (int work = 0; work < WORKS; work++) {
        print_figure(model, (enum column)(RATE + work));
        print_figure(model, (enum column)(HALF + work));
        print_figure(model, (enum column)(NEARLY + work));
    }
    print_figure(model, TASKS);
    print_figure(model, SWITCHES);
    print_figure(model, MEMORY);
    putchar('\n');
}

// ---- the scene -----------------------------------------------------------------------------

static const struct claim by_work = {
    "6.10", "guide §6", "I/O-bound: event loops; CPU-bound: processes or threads", HOLDS, NULL};

// The best of those that compute on all cores.
static double many_at_cpu(void)
{
    static const enum lab_model many[] = {MODEL_FORK, MODEL_THREAD, MODEL_READERS, MODEL_POOL};
    double best = 0;
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        if (results[many[i]].figures[RATE + CPU] > best)
            best = results[many[i]].figures[RATE + CPU];
    return best;
}

// How many requests wait in the loop at once, on average. In who waits for one after the other,
// on whatever machine, that is one at most.
static double waiting_at_once(void)
{
    return results[MODEL_LOOP].figures[RATE + IO] * IO_MS; // the rate is that of a millisecond
}

// A machine that was busy for a moment has a second chance.
static bool many_wait_at_once(void)
{
    for (int i = 0; i < TRIES && waiting_at_once() <= AT_ONCE; i++)
        compare(MODEL_LOOP, IO);
    return waiting_at_once() > AT_ONCE;
}

// The same, one after the other.
static bool many_compute_more(void)
{
    for (int i = 0; i < TRIES; i++) {
        if (many_at_cpu() > MORE * results[MODEL_LOOP].figures[RATE + CPU])
            return true;
        compare(MODEL_LOOP, CPU);
        compare(MODEL_FORK, CPU);
    }
    return false;
}

void scene_models(void)
{
    story_say(
        "%d connections, each asks again as soon as it is answered; %d workers where they",
        CONNECTIONS, WORKERS);
    story_say("can be counted. k/s: thousand answers a second; p50, p99: ms in which half of");
    story_say("them are there, and 99 %%; tasks: threads and processes; sw.: context switches");
    story_say("for each /cheap; MB: memory of all. * the best of those who serve all.");
    for (int i = 0; i < LAB_MODELS; i++)
        for (int work = 0; work < WORKS; work++)
            compare((enum lab_model)i, (enum work)work);
    print_heads();
    for (int i = 0; i < LAB_MODELS; i++)
        print_row(i);
    const struct result *loop = &results[MODEL_LOOP];
    bool wait = many_wait_at_once(), more = many_compute_more(), room = loop->idle > ROOM;
    double computing = many_at_cpu() / loop->figures[RATE + CPU];
    claim_report(
        &by_work, wait && (more || !room) ? HOLDS : UNCLEAR,
        "waiting: one loop has %.1f of %d requests waiting at once. Computing: many answer "
        "%.1f times as many as one loop, which left %.1f of %d cores idle%s",
        waiting_at_once(), CONNECTIONS, computing, loop->idle, lab_cores(),
        room ? "" : " (others need them now)");
}
