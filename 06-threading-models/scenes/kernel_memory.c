// kernel_memory.c: see kernel_memory.h.
#include "kernel_memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

// The number in the line of a file that has this form (as for sscanf(), with one %ld); 0: there
// is no such line.
static long find(const char *path, const char *form)
{
    char line[300];
    long number = 0;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, form, &number) == 1)
            break;
    if (file)
        fclose(file);
    return number;
}

void kernel_memory_read(struct kernel_memory *memory)
{
    long pages =
        find("/proc/net/sockstat", "TCP: inuse %*d orphan %*d tw %*d alloc %*d mem %ld");
    memory->buffers_kb = pages * (sysconf(_SC_PAGESIZE) / 1024);
    memory->stacks_kb = find("/proc/meminfo", "KernelStack: %ld kB");
    memory->slab_kb = find("/proc/meminfo", "Slab: %ld kB");
}

long kernel_socket_bytes(void)
{
    return find("/proc/net/protocols", "TCP %ld"); // not the line of TCPv6
}

long kernel_maps_max(void)
{
    return find("/proc/sys/vm/max_map_count", "%ld");
}
