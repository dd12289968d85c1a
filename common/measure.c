// measure.c: see measure.h.
#include "measure.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "net.h"
#include "smaller.h"

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median_of(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

double least_of(const double *values, size_t count)
{
    double least = values[0];
    for (size_t i = 1; i < count; i++)
        if (values[i] < least)
            least = values[i];
    return least;
}

double ms_between(int64_t from_ns, int64_t to_ns)
{
    return (double)(to_ns - from_ns) / 1e6;
}

double ms_since(int64_t from_ns)
{
    return ms_between(from_ns, now_ns());
}

double cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

int64_t thread_cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

double process_cpu_us(pid_t pid)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &time))
        die("cannot read the CPU time of process %d", (int)pid);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

long number_in_file(const char *path, const char *start, const char *key)
{
    char line[300];
    const char *found = NULL;
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file))
        if (!strncmp(line, start, strlen(start)))
            found = strstr(line + strlen(start), key);
    if (file)
        fclose(file);
    if (!found)
        return 0;
    return strtol(found + strlen(key), NULL, 10);
}

int usable_cores(void)
{
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores))
        return 1;
    return CPU_COUNT(&cores);
}

static cpu_set_t all_cores;

void share_one_core(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof all_cores, &all_cores))
        return; // where it cannot be had, the figures vary more
    for (size_t core = CPU_SETSIZE; core-- > 0 && CPU_COUNT(&one) == 0;)
        if (CPU_ISSET(core, &all_cores))
            CPU_SET(core, &one);
    sched_setaffinity(0, sizeof one, &one);
}

void share_cores(void)
{
    if (CPU_COUNT(&all_cores) > 0)
        sched_setaffinity(0, sizeof all_cores, &all_cores);
}

long raise_file_limit(long wanted)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files))
        return 0;
    if (files.rlim_cur >= (rlim_t)wanted)
        return (long)files.rlim_cur;
    rlim_t before = files.rlim_cur;
    files.rlim_cur = smaller((size_t)wanted, files.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &files))
        return (long)before;
    return (long)files.rlim_cur;
}

uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}
