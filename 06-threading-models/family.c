// family.c: see family.h; the files are described in proc(5).
#include "family.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Calls `use` for each line "name: number ..." of a file.
static void read_numbers(const char *path, struct family *family,
                         void (*use)(struct family *, const char *name, long number))
{
    char line[256];
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (colon) {
            *colon = '\0';
            use(family, line, strtol(colon + 1, NULL, 10));
        }
    }
    if (file)
        fclose(file);
}

static void use_status(struct family *family, const char *name, long number)
{
    if (!strcmp(name, "VmRSS"))
        family->resident_kb += number;
    else if (!strcmp(name, "VmSize"))
        family->virtual_kb += number;
}

static void use_switches(struct family *family, const char *name, long number)
{
    if (!strcmp(name, "voluntary_ctxt_switches"))
        family->voluntary += number;
    else if (!strcmp(name, "nonvoluntary_ctxt_switches"))
        family->involuntary += number;
}

static void use_rollup(struct family *family, const char *name, long number)
{
    if (!strcmp(name, "Pss"))
        family->proportional_kb += number;
}

// user, system, and both of the children that were waited for: fields 14 to 17 of stat.
static void read_cpu(pid_t pid, struct family *family)
{
    char path[64], text[1024] = "";
    long user = 0, system = 0, user_dead = 0, system_dead = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    char *fields = strrchr(text, ')'); // the program's name may be anything
    if (fields &&
        sscanf(fields, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld %ld %ld", &user,
               &system, &user_dead, &system_dead) == 4)
        family->cpu_us +=
            (user + system + user_dead + system_dead) * (1000000 / sysconf(_SC_CLK_TCK));
}

static void read_process(pid_t pid, struct family *family)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        return;
    family->processes++;
    for (struct dirent *task; (task = readdir(tasks));) {
        if (task->d_name[0] == '.')
            continue;
        family->threads++;
        snprintf(path, sizeof path, "/proc/%d/task/%s/status", pid, task->d_name);
        read_numbers(path, family, use_switches);
    }
    closedir(tasks);
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    read_numbers(path, family, use_status);
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    read_numbers(path, family, use_rollup);
    read_cpu(pid, family);
}

void family_read(pid_t pid, struct family *family)
{
    char path[64];
    int child;
    *family = (struct family){0};
    read_process(pid, family);
    // Children belong to the thread that forked them: in our models the first one.
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *children = fopen(path, "re");
    while (children && fscanf(children, "%d", &child) == 1)
        read_process(child, family);
    if (children)
        fclose(children);
}
