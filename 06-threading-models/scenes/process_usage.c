// process_usage.c: see process_usage.h; the files are described in proc(5).
#include "process_usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    if (!strcmp(name, "voluntary_ctxt_switches")) // the others are other programs' doing
        usage->switches += number;
}

static void use_rollup(struct process_usage *usage, const char *name, long number)
{
    if (!strcmp(name, "Pss"))
        usage->resident_kb += number;
}

static long count_lines(const char *path)
{
    int c;
    long lines = 0;
    FILE *file = fopen(path, "re");
    while (file && (c = getc(file)) != EOF)
        lines += c == '\n';
    if (file)
        fclose(file);
    return lines;
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
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    usage->maps += count_lines(path);
}

// The file with the numbers of a process's children. They belong to the thread that forked
// them: in these models the main thread.
static FILE *open_children(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    return fopen(path, "re");
}

void process_usage_read(pid_t pid, struct process_usage *usage)
{
    int child;
    *usage = (struct process_usage){0};
    read_process(pid, usage);
    FILE *children = open_children(pid);
    while (children && fscanf(children, "%d", &child) == 1)
        read_process(child, usage);
    if (children)
        fclose(children);
}

// Ticks of the clock: of a process, and of its children that have ended.
static long ticks(pid_t pid)
{
    char path[64], line[1000] = "";
    long user, system, childrens_user, childrens_system;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    const char *rest = fgets(line, sizeof line, file);
    fclose(file);
    if (rest)
        rest = strrchr(line, ')'); // the name in front of it may have anything in it
    if (!rest || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld %ld %ld",
                        &user, &system, &childrens_user, &childrens_system) != 4)
        return 0;
    return user + system + childrens_user + childrens_system;
}

long process_usage_cpu_ms(pid_t pid)
{
    int child;
    long sum = ticks(pid);
    FILE *children = open_children(pid);
    while (children && fscanf(children, "%d", &child) == 1)
        sum += ticks(child);
    if (children)
        fclose(children);
    return sum * 1000 / sysconf(_SC_CLK_TCK);
}
