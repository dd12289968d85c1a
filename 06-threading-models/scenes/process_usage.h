// process_usage.h: what a server's process and its children use, as /proc says.
#ifndef PROCESS_USAGE_H
#define PROCESS_USAGE_H

#include <sys/types.h>

struct process_usage {
    int processes, threads;
    long switches;    // how often the threads that exist now went to sleep
    long resident_kb; // memory; each process has an equal part of a page that several share
    long virtual_kb;  // addresses, with or without memory
    long maps;        // ranges of addresses (/proc/PID/maps)
};

// Sums up the process and its children (not their children). A process that ends meanwhile may
// be missing.
void process_usage_read(pid_t pid, struct process_usage *usage);

// CPU time of the process and its children so far, also of children that have ended, in
// milliseconds. The kernel counts it in steps of 10, for each of them.
long process_usage_cpu_ms(pid_t pid);

#endif
