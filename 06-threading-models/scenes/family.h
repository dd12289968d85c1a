// family.h: what a server uses, its process and its children, as the kernel tells it in /proc.
#ifndef FAMILY_H
#define FAMILY_H

#include <sys/types.h>

struct family {
    int processes, threads;
    long switches;    // of contexts, by the threads that live
    long resident_kb; // memory; a page that several processes have is divided by their number
    long virtual_kb;  // addresses, whether or not there is memory behind them
};

// Sums up the process and its children, not their children. What ends meanwhile is missing.
void family_read(pid_t pid, struct family *family);

#endif
