// lab.c: see lab.h.
#include "lab.h"

#include <ctype.h>
#include <dirent.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "spawn.h"

#define OPTIONS_BYTES 200
#define ARGUMENTS     24
#define PATH_BYTES    300
#define STAT_BYTES    300 // a longer line of /proc/stat is not about a core

int lab_model(const char *name)
{
    int model = model_find(name);
    if (model < 0 || model_count() > LAB_MODELS_MAX)
        die("there is no model %s, or there are too many", name);
    return model;
}

void lab_start(struct lab *lab, const char *model, const char *options, ...)
{
    char text[OPTIONS_BYTES];
    const char *argv[ARGUMENTS] = {"./server", "--model", model, "--port", "0"};
    int count = 5;
    va_list arguments;
    va_start(arguments, options);
    vsnprintf(text, sizeof text, options, arguments);
    va_end(arguments);
    for (char *rest = text, *word; (word = strsep(&rest, " ")) && count < ARGUMENTS - 1;)
        if (*word)
            argv[count++] = word;
    lab->model = model;
    lab->port = spawn_server(&lab->pid, argv);
    if (!lab->port)
        die("./server --model %s does not start", model);
}

void lab_stop(struct lab *lab)
{
    int status = spawn_stop(lab->pid);
    if (status)
        die("./server --model %s ends with status %d", lab->model, status);
}

// ---- /proc ---------------------------------------------------------------------------------

static int by_number(const void *a, const void *b)
{
    const struct task *x = a, *y = b;
    return x->tid - y->tid;
}

int lab_tasks(const struct lab *lab, struct task *tasks, int max)
{
    char path[PATH_BYTES];
    long long ran_ns, waited_ns;
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", lab->pid);
    DIR *threads = opendir(path);
    for (const struct dirent *entry; threads && (entry = readdir(threads));) {
        if (entry->d_name[0] == '.' || count == max)
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", lab->pid, entry->d_name);
        FILE *file = fopen(path, "re");
        if (file && fscanf(file, "%lld %lld", &ran_ns, &waited_ns) == 2)
            tasks[count++] = (struct task){atoi(entry->d_name), ran_ns, waited_ns};
        if (file)
            fclose(file);
    }
    if (threads)
        closedir(threads);
    qsort(tasks, (size_t)count, sizeof *tasks, by_number);
    return count;
}

void lab_warm_up(const struct lab *lab, struct load *load, struct task *tasks, int threads)
{
    for (int i = 0; i < LAB_PATIENCE_S * 1000 / LAB_WARM_UP_MS; i++) {
        load_run(load, LAB_WARM_UP_MS, 0);
        if (lab_tasks(lab, tasks, threads) == threads)
            return;
    }
    die("./server --model %s does not have %d threads", lab->model, threads);
}

struct cores_use lab_cores_use(void)
{
    struct cores_use use = {0};
    int64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);
    char line[STAT_BYTES];
    cpu_set_t cores;
    FILE *file = fopen("/proc/stat", "re");
    if (!file || sched_getaffinity(0, sizeof cores, &cores))
        CPU_ZERO(&cores);
    // "cpu" is the sum of all; then "cpu0" and so on (proc(5)).
    while (file && fgets(line, sizeof line, file)) {
        int core;
        long long user, nice, kernel, idle, disk, hard, soft, stolen;
        if (!strncmp(line, "cpu", 3) && isdigit((unsigned char)line[3]) &&
            sscanf(line + 3, "%d %lld %lld %lld %lld %lld %lld %lld %lld", &core, &user, &nice,
                   &kernel, &idle, &disk, &hard, &soft, &stolen) == 9 &&
            CPU_ISSET((size_t)core, &cores)) {
            use.idle_ns += (idle + disk) * tick_ns;
            use.busy_ns += (user + nice + kernel + hard + soft + stolen) * tick_ns;
        }
    }
    if (file)
        fclose(file);
    return use;
}
