// process_usage.h: what a server uses, its process and its children, as the kernel tells it in
// /proc.
#ifndef PROCESS_USAGE_H
#define PROCESS_USAGE_H

#include <sys/types.h>

struct process_usage {
    int processes, threads;
    long switches;    // of contexts, by the threads that live
    long resident_kb; // memory; a page that several processes have is divided by their number
    long virtual_kb;  // addresses, whether or not there is memory behind them
};

// Sums up the process and its children, not their children. What ends meanwhile is missing.
void process_usage_read(pid_t pid, struct process_usage *usage);

#endif
