// family.c: see family.h; the files are described in proc(5).
#include "family.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    if (!strcmp(name, "VmSize"))
        family->virtual_kb += number;
}

static void use_switches(struct family *family, const char *name, long number)
{
    if (!strcmp(name, "voluntary_ctxt_switches") || !strcmp(name, "nonvoluntary_ctxt_switches"))
        family->switches += number;
}

static void use_rollup(struct family *family, const char *name, long number)
{
    if (!strcmp(name, "Pss"))
        family->resident_kb += number;
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
