// server.c: one request handler, and seven ways to have it serve many clients at once.
//
// Run:    ./server --model pool        then, in another terminal: ./client, or
//         curl 'localhost:8006/who'    several times, with each model
// Watch:  who waits where: a process, a thread or nobody for each connection; what one request
//         that computes (/cpu?ms=500), waits (/io?ms=500) or crashes (/crash) does to the
//         others; ps -eLf and /proc/PID/status beside it.
//
// Read model.h first, then the models, from the plainest to the most artful: model_single.c,
// model_fork.c, model_thread.c, model_prefork.c, model_loop.c, model_readers.c, model_pool.c.
// What they all call is handle() in handler.c.
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "model.h"
#include "net.h"
#include "options.h"
#include "text.h"

#define BACKLOG      4096
#define SPARE_FILES  100 // that the server needs beside its connections
#define STACK_KB_MIN 128 // a conversation needs 50 of them

static const struct model *const models[] = {&model_single,  &model_fork, &model_thread,
                                             &model_prefork, &model_loop, &model_readers,
                                             &model_pool};

#define MODELS (sizeof models / sizeof *models)

static const struct model *find_model(const char *name)
{
    for (size_t i = 0; i < MODELS; i++)
        if (!strcmp(models[i]->name, name))
            return models[i];
    fprintf(stderr, "server: --model takes one of these, not '%s':\n", name);
    for (size_t i = 0; i < MODELS; i++)
        fprintf(stderr, "  %-8s %s\n", models[i]->name, models[i]->about);
    exit(2);
}

// As many as this process may use.
static int count_cores(void)
{
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) ? 1 : CPU_COUNT(&cores);
}

// As many as the connections may need, if the system lets us have them.
static void raise_files(int conns)
{
    struct rlimit files;
    rlim_t wanted = (rlim_t)conns + SPARE_FILES;
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= wanted)
        return;
    files.rlim_cur = wanted < files.rlim_max ? wanted : files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static void print_summary(const struct crew *crew)
{
    printf("stopped: connections %ld, requests %ld, refused %ld, crashed %ld\n",
           atomic_load(&crew->connections), crew_requests(crew), atomic_load(&crew->refused),
           atomic_load(&crew->crashed));
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *name = "loop";
    static int port = 8006;
    static struct settings settings = {
        .queue = 128, .conns = 10000, .idle_ms = 15000, .head_ms = 10000};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"model", OPTION_TEXT, &name,
         .help = "single, fork, thread, prefork, loop, readers or pool"},
        {"workers", OPTION_INT, &settings.workers, 0, CREW_WORKERS_MAX,
         "of prefork, readers and pool; 0: one for each core"},
        {"queue", OPTION_INT, &settings.queue, 1, 65536,
         "requests that may wait for a worker of pool"},
        {"connections", OPTION_INT, &settings.conns, 1, CREW_CONNS_MAX,
         "at once; further ones are answered 503"},
        {"stack", OPTION_INT, &settings.stack_kb, 0, 1 << 20,
         "KB for each thread; 0: as ulimit -s says"},
        {"idle-ms", OPTION_INT, &settings.idle_ms, 1, 3600000,
         "ms until a silent client is closed"},
        {"head-ms", OPTION_INT, &settings.head_ms, 1, 3600000,
         "ms that a request's head may take"},
        {"allow-crash", OPTION_FLAG, &settings.allow_crash, .help = "/crash really does"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 06: one handler, seven servers.", options});
    text_begin();
    const struct model *model = find_model(name);
    if (!settings.workers)
        settings.workers = count_cores();
    if (settings.stack_kb && settings.stack_kb < STACK_KB_MIN)
        settings.stack_kb = STACK_KB_MIN;
    raise_files(settings.conns);
    int listener = net_listen(host, port, BACKLOG);
    int workers = model->workers == ONE    ? 1
                  : model->workers == MANY ? settings.workers
                                           : settings.conns;
    struct crew *crew = crew_open(model->name, &settings, workers);
    int stop_fd = net_stop_fd();
    net_ready(listener);
    model->run(crew, listener, stop_fd);
    print_summary(crew);
    return 0;
}
