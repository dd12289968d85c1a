// models.c: all models with three kinds of work. In each column the table marks the best model.
#include <stdio.h>

#include "claim.h"
#include "process_usage.h"
#include "lab.h"
#include "load.h"
#include "measure.h"
#include "scenes.h"
#include "story.h"
#include "text.h"

#define CONNECTIONS 16
#define WORKERS     4 // of prefork, readers and pool
#define WARM_UP_MS  20
#define MEASURED_MS 100
#define TRIES       3
#define MORE        1.2  // so many times as many answers are called more
#define AT_ONCE     2    // if more requests wait at once, they do not wait one after the other
#define IO_MS       5    // a request of the third kind waits so long
#define SPREAD      60.0 // % of the computing for one thread: less is called spread
#define ROOM        0.5  // cores: if so much of them is idle, no other program needs it
#define AS_GOOD     1.1 // a figure is as good as the best if it is less than so many times worse
// So often a thread goes to sleep, at least, for each request that another thread answers.
#define HANDED_OVER 0.1

#define NAME_COLUMNS   8 // of the table
#define SERVED_COLUMNS 6
#define FIGURE_COLUMNS 8

enum work { CHEAP, CPU, IO, WORKS };

static const char *const paths[WORKS] = {"/cheap", "/cpu?ms=1", "/io?ms=5"};

// The table's columns. In the columns from RATE on the largest figure is the best, in all
// others the smallest.
enum column {
    RATE,                   // thousands of answers a second: a column for each work
    NEARLY = RATE + WORKS,  // 99 % of the answers come within so many ms: the same
    TASKS = NEARLY + WORKS, // processes and threads
    SWITCHES,               // how often a thread goes to sleep, for each /cheap
    COLUMNS
};

struct result {
    double figures[COLUMNS];
    int served[WORKS]; // connections that had an answer, of CONNECTIONS
    double idle;       // cores of this machine that had nothing to do during /cpu, on average
};

static struct result results[LAB_MODELS_MAX];

// Measures one model with one kind of work.
static void measure(int model, enum work work)
{
    static struct load load;
    static struct load_target target;
    struct result *result = &results[model];
    struct process_usage before, after;
    struct lab lab;
    lab_start(&lab, models[model].name, "--workers %d", WORKERS);
    target = (struct load_target){.path = paths[work], .connections = CONNECTIONS};
    load_open(&load, "127.0.0.1", lab.port, &target, 1);
    load_run(&load, WARM_UP_MS, 0);
    process_usage_read(lab.pid, &before);
    int64_t idle_ns = lab_cores_use().idle_ns;
    load_run(&load, MEASURED_MS, 0);
    idle_ns = lab_cores_use().idle_ns - idle_ns;
    process_usage_read(lab.pid, &after);
    load_close(&load);
    lab_stop(&lab);
    double answers = (double)target.latency.total;
    double *figures = result->figures;
    figures[RATE + work] = answers / load.seconds / 1000;
    figures[NEARLY + work] = (double)histogram_percentile(&target.latency, 99) / 1e6;
    result->served[work] = target.served;
    if (work == CPU)
        result->idle = (double)idle_ns / 1e9 / load.seconds;
    if (work == CHEAP) {
        long switches = after.switches - before.switches;
        figures[TASKS] = after.threads;
        if (answers > 0)
            figures[SWITCHES] = (double)switches / answers;
    }
}

// ---- the table -----------------------------------------------------------------------------

// The work that a column is about.
static enum work work_of(enum column column)
{
    if (column < NEARLY)
        return (enum work)(column - RATE);
    if (column < TASKS)
        return (enum work)(column - NEARLY);
    return CHEAP;
}

static bool serves_all(int model, enum column column)
{
    return results[model].served[work_of(column)] == CONNECTIONS;
}

// Only a model that has answered all connections can be best.
static bool is_best(int model, enum column column)
{
    double mine = results[model].figures[column];
    if (!serves_all(model, column))
        return false;
    for (int i = 0; i < model_count(); i++) {
        double theirs = results[i].figures[column];
        bool better = theirs * AS_GOOD < mine;
        if (column < NEARLY)
            better = theirs > mine * AS_GOOD;
        if (better && serves_all(i, column))
            return false;
    }
    return true;
}

static void print_figure(int model, enum column column)
{
    char text[32];
    double figure = results[model].figures[column];
    int digits = 2;
    if (column == TASKS)
        digits = 0;
    else if (figure >= 9.995)
        digits = 1;
    if (is_best(model, column)) {
        snprintf(text, sizeof text, "%.*f*", digits, figure);
        fputs(paint(GREEN), stdout);
    } else {
        snprintf(text, sizeof text, "%.*f ", digits, figure);
    }
    cell(text, FIGURE_COLUMNS, true);
    fputs(paint(PLAIN), stdout);
}

static void print_heads(void)
{
    printf("\n  %s", paint(BOLD));
    cell("", NAME_COLUMNS + SERVED_COLUMNS, false);
    for (int work = 0; work < WORKS; work++) {
        char text[40];
        snprintf(text, sizeof text, "%s ", paths[work]);
        cell(text, 2 * FIGURE_COLUMNS, true);
    }
    printf("\n  ");
    cell("", NAME_COLUMNS, false);
    cell("served", SERVED_COLUMNS, true);
    for (int work = 0; work < WORKS; work++) {
        cell("k/s ", FIGURE_COLUMNS, true);
        cell("p99 ", FIGURE_COLUMNS, true);
    }
    cell("tasks ", FIGURE_COLUMNS, true);
    cell("sw. ", FIGURE_COLUMNS, true);
    printf("%s\n", paint(PLAIN));
}

static void print_row(int model)
{
    char served[16];
    snprintf(served, sizeof served, "%d/%d", results[model].served[CHEAP], CONNECTIONS);
    fputs("  ", stdout);
    cell(models[model].name, NAME_COLUMNS, false);
    cell(served, SERVED_COLUMNS, true);
    for (int work = 0; work < WORKS; work++) {
        print_figure(model, (enum column)(RATE + work));
        print_figure(model, (enum column)(NEARLY + work));
    }
    print_figure(model, TASKS);
    print_figure(model, SWITCHES);
    putchar('\n');
}

// ---- the scene -----------------------------------------------------------------------------

static const struct claim by_work = {
    "6.10", "guide §6", "I/O-bound: event loops; CPU-bound: processes or threads", HOLDS, NULL};

static const struct claim as_cores = {
    "6.37", "guide §6", "as many processes or threads as cores; more are inefficient", NOT_HERE,
    "For work that computes. A thread that waits needs no core: where work blocks, there have "
    "to "
    "be as many as shall wait at once."};
static const struct claim messages = {
    "6.38", "guide §6",
    "a worker pool: message-passing overhead between I/O thread and workers", HOLDS, NULL};

static double loop_at(enum work work)
{
    return results[lab_model("loop")].figures[RATE + work];
}

// The best rate for /cpu of the models that have more than one worker and serve all clients.
static double many_at_cpu(void)
{
    double best = 0;
    for (int i = 0; i < model_count(); i++)
        if (models[i].workers != ONE_WORKER && models[i].serves == SERVES_ALL &&
            results[i].figures[RATE + CPU] > best)
            best = results[i].figures[RATE + CPU];
    return best;
}

// How many requests wait in the loop at once, on average. In a model in which they wait one
// after the other this is at most one, on any machine.
static double waiting_at_once(void)
{
    return loop_at(IO) * IO_MS; // the rate is that of a millisecond
}

// Measures again if this machine was busy for a moment.
static bool many_wait_at_once(void)
{
    for (int i = 0; i < TRIES && waiting_at_once() <= AT_ONCE; i++)
        measure(lab_model("loop"), IO);
    return waiting_at_once() > AT_ONCE;
}

// The same for requests that compute.
static bool many_compute_more(void)
{
    for (int i = 0; i < TRIES; i++) {
        if (many_at_cpu() > MORE * loop_at(CPU))
            return true;
        measure(lab_model("loop"), CPU);
        measure(lab_model("fork"), CPU);
    }
    return false;
}

// How much of the computing one thread does, the busiest one, in percent. In one loop that is
// all of it, however busy this machine is.
static double busiest_at_cpu(const char *model, int threads)
{
    static struct load load;
    struct load_target target = {.path = paths[CPU], .connections = CONNECTIONS};
    struct task before[WORKERS + 1], after[WORKERS + 1];
    struct lab lab;
    double most = 0, sum = 0;
    lab_start(&lab, model, "--workers %d", WORKERS);
    load_open(&load, "127.0.0.1", lab.port, &target, 1);
    lab_warm_up(&lab, &load, before, threads);
    load_run(&load, MEASURED_MS, 0);
    int count = lab_tasks(&lab, after, threads);
    load_close(&load);
    lab_stop(&lab);
    for (int i = 0; i < count; i++) {
        double ran = (double)(after[i].ran_ns - before[i].ran_ns);
        sum += ran;
        if (ran > most)
            most = ran;
    }
    if (sum <= 0)
        return 100;
    return 100 * most / sum;
}

// How many requests wait in these 16 threads at once, on average; measured again if this
// machine was busy for a moment.
static double waiting_in_threads(int cores)
{
    int model = lab_model("thread");
    for (int i = 0; i < TRIES && results[model].figures[RATE + IO] * IO_MS < MORE * cores; i++)
        measure(model, IO);
    return results[model].figures[RATE + IO] * IO_MS;
}

static void judge_cores(void)
{
    int cores = usable_cores();
    if (cores * MORE > CONNECTIONS / 2) {
        claim_report(&as_cores, SKIPPED, "this machine has %d cores, and there are %d threads",
                     cores, CONNECTIONS);
        return;
    }
    double waiting = waiting_in_threads(cores);
    enum verdict verdict = UNCLEAR;
    if (waiting > MORE * cores)
        verdict = NOT_HERE;
    else if (waiting < 1)
        verdict = HOLDS;
    claim_report(&as_cores, verdict,
                 "%d threads answer %.2f thousand /io a second: %.1f wait at once; as many as "
                 "there are cores would be %d",
                 CONNECTIONS, waiting / IO_MS, waiting, cores);
}

static void judge_messages(void)
{
    int pool_model = lab_model("pool"), loop_model = lab_model("loop");
    double pool = results[pool_model].figures[SWITCHES];
    double loop = results[loop_model].figures[SWITCHES];
    for (int i = 0; i < TRIES && pool < loop + HANDED_OVER; i++) {
        measure(pool_model, CHEAP);
        measure(loop_model, CHEAP);
        pool = results[pool_model].figures[SWITCHES];
        loop = results[loop_model].figures[SWITCHES];
    }
    claim_report(&messages, holds_if(pool > loop + HANDED_OVER),
                 "for each /cheap threads go to sleep %.2f times in the pool, %.2f in the loop",
                 pool, loop);
}

void scene_models(void)
{
    story_say("%d connections; each asks again as soon as it has its answer. Where the number",
              CONNECTIONS);
    story_say("of workers can be chosen, there are %d. k/s: thousand answers a second;",
              WORKERS);
    story_say("p99: 99 %% of the answers come within so many ms; tasks: threads and");
    story_say("processes; sw.: how often a thread goes to sleep, for each /cheap (a context");
    story_say("switch). *: the best of the models that serve all connections.");
    for (int i = 0; i < model_count(); i++)
        for (int work = 0; work < WORKS; work++)
            measure(i, (enum work)work);
    print_heads();
    for (int i = 0; i < model_count(); i++)
        print_row(i);
    if (model_left_out())
        story_say("%s SKIPPED: %s.", models[model_count()].name, model_left_out());
    const struct result *loop = &results[lab_model("loop")];
    bool wait = many_wait_at_once(), more = many_compute_more(), room = loop->idle > ROOM;
    double computing = many_at_cpu() / loop_at(CPU);
    double one = busiest_at_cpu("loop", 1), pool = busiest_at_cpu("pool", WORKERS + 1);
    for (int i = 1; i < TRIES && pool >= SPREAD; i++) // other programs may have had the cores
        pool = busiest_at_cpu("pool", WORKERS + 1);
    const char *remark = "";
    if (!room)
        remark = " (other programs need them now)";
    claim_report(
        &by_work, holds_if(wait && one > SPREAD && pool < SPREAD && (more || !room)),
        "waiting: one loop has %.1f of %d requests waiting at once. Computing: one thread does "
        "%.0f %% of it in the loop, %.0f %% in the pool; many workers answer %.1f times as "
        "many "
        "as one loop, which left %.1f of %d cores idle%s",
        waiting_at_once(), CONNECTIONS, one, pool, computing, loop->idle, usable_cores(),
        remark);
    judge_cores();
    judge_messages();
}
