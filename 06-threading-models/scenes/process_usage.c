// process_usage.c: see process_usage.h; the files are described in proc(5).
#include "process_usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Calls `use` for each line "name: number ..." of a file.
static void read_numbers(const char *path, struct process_usage *usage,
                         void (*use)(struct process_usage *, const char *name, long number))
{
    char line[256];
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (colon) {
            *colon = '\0';
            use(usage, line, strtol(colon + 1, NULL, 10));
        }
    }
    if (file)
        fclose(file);
}

static void use_status(struct process_usage *usage, const char *name, long number)
{
    if (!strcmp(name, "VmSize"))
        usage->virtual_kb += number;
}

static void use_switches(struct process_usage *usage, const char *name, long number)
{
    if (!strcmp(name, "voluntary_ctxt_switches") || !strcmp(name, "nonvoluntary_ctxt_switches"))
        usage->switches += number;
}

static void use_rollup(struct process_usage *usage, const char *name, long number)
{
    if (!strcmp(name, "Pss"))
        usage->resident_kb += number;
}

static void read_process(pid_t pid, struct process_usage *usage)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        return;
    usage->processes++;
    for (struct dirent *task; (task = readdir(tasks));) {
        if (task->d_name[0] == '.')
            continue;
        usage->threads++;
        snprintf(path, sizeof path, "/proc/%d/task/%s/status", pid, task->d_name);
        read_numbers(path, usage, use_switches);
    }
    closedir(tasks);
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    read_numbers(path, usage, use_status);
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    read_numbers(path, usage, use_rollup);
}

void process_usage_read(pid_t pid, struct process_usage *usage)
{
    char path[64];
    int child;
    *usage = (struct process_usage){0};
    read_process(pid, usage);
    // Children belong to the thread that forked them: in these models the main thread.
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *children = fopen(path, "re");
    while (children && fscanf(children, "%d", &child) == 1)
        read_process(child, usage);
    if (children)
        fclose(children);
}
