// guard.h: when wire is killed, the guard ends what wire's programs have started.
//
// The kernel ends the programs together with wire (PR_SET_PDEATHSIG), but not the programs'
// children. So the guard, a second process, waits until wire has ended for whatever reason, and
// then ends the programs' process groups.
#ifndef GUARD_H
#define GUARD_H

#include <sys/types.h>

// Starts the guard.
void guard_begin(void);

// Tells the guard of a program, which is the leader of a process group.
void guard_add(pid_t group);

// Ends the guard, when all programs have ended.
void guard_end(void);

#endif
