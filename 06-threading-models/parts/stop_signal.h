// stop_signal.h: how a process that blocks in accept() or read() is told to stop. The handler
// of the signal shuts down the socket that the process waits for, and the call returns. This
// cannot come too early, as a mere EINTR can: a process that calls read() a moment later finds
// the socket shut down.
#ifndef STOP_SIGNAL_H
#define STOP_SIGNAL_H

#include <stdatomic.h>
#include <stdbool.h>

// From now on SIGINT and SIGTERM shut down the listener (-1: none) and the connection that
// stop_signal_watch() named last, and set *stopping. After STOP_MS, or at the second signal,
// the process ends with status 0. `stopping` is NULL in a child: its parent limits its time.
void stop_signal_begin(int listener, atomic_bool *stopping);

// Names the connection that this process serves now; -1: none. If the signal has come already,
// the connection is shut down at once.
void stop_signal_watch(int fd);

// True if this process is to stop.
bool stop_signal_came(void);

#endif
