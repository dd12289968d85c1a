// kernel_memory.h: memory that the kernel itself uses on this machine, and two of its figures,
// as /proc says (proc(5)).
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

struct kernel_memory {
    long stacks_kb;  // the kernel's own stacks, one for each task
    long slab_kb;    // what the kernel keeps for sockets, open files and much else
    long buffers_kb; // bytes in the buffers of all TCP sockets
};

void kernel_memory_read(struct kernel_memory *memory);

// How long the struct is that the kernel has for a TCP socket (/proc/net/protocols), in bytes;
// 0: not known.
long kernel_socket_bytes(void);

// How many ranges of addresses a process may have (vm.max_map_count); 0: not known.
long kernel_maps_max(void);

#endif
