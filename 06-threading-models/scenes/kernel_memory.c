// kernel_memory.c: see kernel_memory.h.
#include "kernel_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The number behind `key` in the line of a file that begins with `start`; 0: there is none.
static long find(const char *path, const char *start, const char *key)
{
    char line[300];
    const char *found = NULL;
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file))
        if (!strncmp(line, start, strlen(start)))
            found = strstr(line, key);
    if (file)
        fclose(file);
    if (!found)
        return 0;
    return strtol(found + strlen(key), NULL, 10);
}

void kernel_memory_read(struct kernel_memory *memory)
{
    long pages = find("/proc/net/sockstat", "TCP:", " mem ");
    memory->buffers_kb = pages * (sysconf(_SC_PAGESIZE) / 1024);
    memory->stacks_kb = find("/proc/meminfo", "KernelStack:", ":");
    memory->slab_kb = find("/proc/meminfo", "Slab:", ":");
}

long kernel_socket_bytes(void)
{
    return find("/proc/net/protocols", "TCP ", " "); // not the line of TCPv6
}

long kernel_maps_max(void)
{
    return find("/proc/sys/vm/max_map_count", "", "");
}
