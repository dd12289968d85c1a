// kernel_memory.c: see kernel_memory.h.
#include "kernel_memory.h"

#include <unistd.h>

#include "measure.h"

void kernel_memory_read(struct kernel_memory *memory)
{
    long pages = number_in_file("/proc/net/sockstat", "TCP:", " mem ");
    memory->buffers_kb = pages * (sysconf(_SC_PAGESIZE) / 1024);
    memory->stacks_kb = number_in_file("/proc/meminfo", "KernelStack:", "");
    memory->slab_kb = number_in_file("/proc/meminfo", "Slab:", "");
}

long kernel_socket_bytes(void)
{
    return number_in_file("/proc/net/protocols", "TCP ", ""); // not the line of TCPv6
}

long kernel_maps_max(void)
{
    return number_in_file("/proc/sys/vm/max_map_count", "", "");
}
