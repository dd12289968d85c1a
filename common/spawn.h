// spawn.h: servers that a client starts itself: for scenes that compare several, or that end
// one.
#ifndef SPAWN_H
#define SPAWN_H

#include <sys/types.h>

#define SPAWN_WAIT_MS 10000 // that a server may take until it is ready

// Starts a server with these arguments (the first is its path; NULL ends them), silent but for
// its errors, and waits until it is ready: it writes its port to $READY_FD, as net_ready()
// does. Returns the port; 0 if it ended or wrote none within SPAWN_WAIT_MS: then it is gone. It
// is killed when the calling thread ends. Dies if there can be no further process.
int spawn_server(pid_t *pid, const char *const argv[]);

// In a child that is about to become a server: hands over `ready_fd` as $READY_FD, under a
// number from 3 to 9: a plain sh can redirect to no other.
void spawn_hand_over(int ready_fd);

// Ends it with SIGTERM. Returns its exit status, 128 + the signal that it died of.
int spawn_stop(pid_t pid);

// Waits until it has ended by itself, or by a signal. Returns the same.
int spawn_wait(pid_t pid);

#endif
