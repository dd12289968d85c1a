// guard.c: see guard.h.
#include "guard.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net.h"
#include "programs.h"

static int guard_fd; // wire sends process groups to the guard; 0 lets the guard end
static pid_t guard;

// Reads until wire lets the guard end, or has ended itself. Signals are blocked in the guard as
// they are in wire: wire decides what ctrl-C means.
static _Noreturn void stand_guard(int fd)
{
    pid_t groups[PROGRAMS_MAX], group;
    int count = 0;
    while (read(fd, &group, sizeof group) == sizeof group) {
        if (group == 0)
            _exit(0);
        if (count < PROGRAMS_MAX)
            groups[count++] = group;
    }
    for (int i = 0; i < count; i++)
        kill(-groups[i], SIGKILL);
    _exit(0);
}

void guard_begin(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) || (guard = fork()) < 0)
        die("cannot start the guard: %s", strerror(errno));
    if (guard == 0) {
        prctl(PR_SET_NAME, "wire-guard");
        close(ends[1]);
        stand_guard(ends[0]);
    }
    close(ends[0]);
    guard_fd = ends[1];
}

void guard_add(pid_t group)
{
    send(guard_fd, &group, sizeof group, MSG_NOSIGNAL); // the guard may have been killed
}

void guard_end(void)
{
    guard_add(0);
    waitpid(guard, NULL, 0);
}
