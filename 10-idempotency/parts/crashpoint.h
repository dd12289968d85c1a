// crashpoint.h: --crash-at: the process kills itself where it hurts most, to show what
// survives.
#ifndef CRASHPOINT_H
#define CRASHPOINT_H

#include <stdbool.h>

#define CRASH_POINTS                                                                           \
    "before-journal after-journal after-sync before-reply "                                    \
    "after-check after-mark after-charge compact-written compact-synced compact-renamed"

// Takes "POINT" or "POINT:N", the N-th time that it is passed. False: there is no such point.
bool crash_arm(const char *text);

// The program passes this point: SIGKILL, if it is the one. Nothing is closed, flushed or said.
void crash_at(const char *point);

#endif
