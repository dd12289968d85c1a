// server.c: one request handler, and eight ways to have it serve many clients at once.
//
// Run:    ./server --model pool        then, in another terminal: ./client, or
//         curl localhost:8006/who      several times, with each model (./server --list-models)
// Watch:  what waits for a client: a process, a thread or a loop; what one request
//         that computes (/cpu?ms=500), waits (/io?ms=500) or crashes (/crash) does to the
//         others; ps -eLf and /proc/PID/status beside it.
//
// Read model.h first, then handle() in handler.c, which all models call, then the models, from
// the plainest on: model_single.c and blocking.c, model_thread.c, model_loop.c and
// nonblocking.c. Then the others: model_fork.c, model_prefork.c, model_readers.c, model_pool.c,
// model_uring.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_file.h"
#include "log.h"
#include "measure.h"
#include "model.h"
#include "net.h"
#include "options.h"

#define BACKLOG      4096
#define SPARE_FILES  100 // descriptors that the server needs beside its connections
#define STACK_KB_MIN 128 // serving one connection takes 50 KB of stack

// One line for each model: its name, how many connections it serves at once, and what it is.
// The tests and scripts read this too.
static _Noreturn void list_models(void)
{
    static const char *const serves[] = {"one", "workers", "all"};
    for (int i = 0; i < model_count(); i++)
        printf("%-8s %-8s %s\n", models[i].name, serves[models[i].serves], models[i].about);
    exit(fflush(stdout) != 0);
}

// Ends the program if there is no model of this name.
static const struct model *choose_model(const char *name)
{
    int found = model_find(name);
    if (found >= 0)
        return &models[found];
    fprintf(stderr, "server: --model takes one of these, not '%s':\n", name);
    for (int i = 0; i < model_count(); i++)
        fprintf(stderr, "  %-8s %s\n", models[i].name, models[i].about);
    if (model_left_out())
        fprintf(stderr, "  %-8s %s\n", models[model_count()].name, model_left_out());
    exit(2);
}

static void print_summary(const struct workers *workers)
{
    log_end();
    printf("stopped: connections %ld, requests %ld, refused %ld, crashed %ld\n",
           atomic_load(&workers->connections), workers_requests(workers),
           atomic_load(&workers->refused), atomic_load(&workers->crashed));
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *name = "loop", *folder = ".";
    static int port = 8006;
    static bool list;
    static struct settings settings = {
        .queue = 128, .connections = 10000, .idle_ms = 15000, .head_ms = 10000};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"model", OPTION_TEXT, &name, .help = "how clients are served: see --list-models"},
        {"list-models", OPTION_FLAG, &list, .help = "list the models, and end"},
        {"workers", OPTION_INT, &settings.workers, 0, WORKERS_MAX,
         "of prefork, readers and pool; 0: one for each core"},
        {"queue", OPTION_INT, &settings.queue, 1, 65536,
         "requests that may wait for a worker of pool"},
        {"connections", OPTION_INT, &settings.connections, 1, CONNECTIONS_MAX,
         "at once; further ones are answered 503"},
        {"stack", OPTION_INT, &settings.stack_kb, 0, 1 << 20,
         "KB for each thread; 0: as ulimit -s says"},
        {"idle-ms", OPTION_INT, &settings.idle_ms, 1, 3600000,
         "ms until a silent client is closed"},
        {"head-ms", OPTION_INT, &settings.head_ms, 1, 3600000,
         "ms that a request's head may take"},
        {"disk", OPTION_TEXT, &folder, .help = "folder of the file that /write writes to"},
        {"disk-thread", OPTION_FLAG, &settings.disk_thread,
         .help = "of loop and readers: another thread waits for the disk"},
        {"look", OPTION_FLAG, &settings.look, .help = "/cpu ends when its client has closed"},
        {"allow-crash", OPTION_FLAG, &settings.allow_crash, .help = "/crash really crashes"},
        {"log", OPTION_FLAG, &settings.log,
         .help = "a line for each answer (which costs time)"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 06: one handler, eight servers.", options});
    log_begin(!settings.log);
    disk_choose(folder);
    if (list)
        list_models();
    const struct model *model = choose_model(name);
    if (!settings.workers)
        settings.workers = usable_cores();
    if (settings.stack_kb && settings.stack_kb < STACK_KB_MIN)
        settings.stack_kb = STACK_KB_MIN;
    raise_file_limit(settings.connections + SPARE_FILES);
    int listener = net_listen(host, port, BACKLOG);
    int count = 1; // the most workers that there can be; run_NAME() starts them
    if (model->workers == N_WORKERS)
        count = settings.workers;
    if (model->workers == ONE_FOR_EACH)
        count = settings.connections;
    struct workers *workers = workers_open(model->name, &settings, count);
    int stop_fd = net_stop_fd();
    net_ready(listener);
    model->run(workers, listener, stop_fd); // run_NAME() in model_NAME.c; returns at a stop
    print_summary(workers);
    return 0;
}
