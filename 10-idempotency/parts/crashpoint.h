// crashpoint.h: --crash-at: the process kills itself at a chosen point of its work, to show
// what is in the journal then.
#ifndef CRASHPOINT_H
#define CRASHPOINT_H

#include <stdbool.h>

#define CRASH_POINTS                                                                           \
    "before-journal after-journal after-sync before-reply "                                    \
    "after-check after-mark after-charge compact-written compact-synced compact-renamed"

// Takes "POINT" or "POINT:N", the N-th time that it is passed. False: there is no such point.
bool crash_arm(const char *text);

// The program passes this point. If it is the one of --crash-at, the process gets SIGKILL: no
// file is closed, no buffer flushed.
void crash_at(const char *point);

#endif
