// interrupt.h: how a process that is blocked in accept() or read() hears that it is to stop:
// a signal's handler shuts down what it waits for, and the call returns. Unlike a mere EINTR
// this cannot come too early: who calls read() a moment later finds the socket shut down.
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdatomic.h>
#include <stdbool.h>

// From now on SIGINT and SIGTERM shut down the listener (-1: none) and the connection that
// interrupt_watch() named last. `stopping`: NULL in a child, whose parent sees to the rest;
// else it is set, and the process ends, with status 0, after CREW_STOP_MS or at the second
// signal.
void interrupt_begin(int listener, atomic_bool *stopping);

// Names the connection that this process talks on now; -1: none. If the signal has come
// already, that is shut down at once.
void interrupt_watch(int fd);

// True if this process is to stop.
bool interrupt_came(void);

#endif
