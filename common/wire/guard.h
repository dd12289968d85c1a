// guard.h: when wire is killed, somebody has to end what its programs have started.
//
// A program dies with wire (PR_SET_PDEATHSIG), but not that program's children. So a second
// process waits until wire is gone, however that came, and then ends the programs' process
// groups.
#ifndef GUARD_H
#define GUARD_H

#include <sys/types.h>

// Starts the guard.
void guard_begin(void);

// Tells it of a program, which is the leader of a process group.
void guard_add(pid_t group);

// Dismisses it: all programs have ended.
void guard_end(void);

#endif
