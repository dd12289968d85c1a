// family.h: what a process and its children are to the kernel: read from /proc.
#ifndef FAMILY_H
#define FAMILY_H

#include <sys/types.h>

struct family {
    int processes, threads;
    long voluntary, involuntary; // context switches of the threads that live
    long resident_kb;            // pages that several processes share count in each
    long proportional_kb;        // such a page is divided by how many share it (Pss)
    long virtual_kb;
    long cpu_us; // user and system, of children that have ended and were waited for as well
};

// Sums up the process and its children, not their children. What ends meanwhile is missing.
void family_read(pid_t pid, struct family *family);

#endif
