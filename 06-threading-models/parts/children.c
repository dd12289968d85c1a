// children.c: see children.h.
#include "children.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net.h"

void children_open(struct children *children, struct workers *workers)
{
    sigset_t died;
    sigemptyset(&died);
    sigaddset(&died, SIGCHLD);
    *children = (struct children){.workers = workers};
    children->pids = calloc((size_t)workers->count, sizeof *children->pids);
    if (!children->pids || sigprocmask(SIG_BLOCK, &died, NULL) ||
        (children->died_fd = signalfd(-1, &died, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        die("cannot prepare for %d children: %s", workers->count, strerror(errno));
}

void children_begin(struct children *children)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != children->workers->pid) // the parent has died before that call
        _exit(0);
    close(children->died_fd);
}

int children_reap(struct children *children)
{
    struct signalfd_siginfo signal; // it may stand for several deaths, so waitpid() comes first
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0 && read(children->died_fd, &signal, sizeof signal) > 0)
        pid = waitpid(-1, &status, WNOHANG);
    for (int i = 0; pid > 0 && i < children->workers->count; i++)
        if (children->pids[i] == pid) {
            children->pids[i] = 0;
            children->count--;
            if (WIFSIGNALED(status))
                atomic_fetch_add(&children->workers->crashed, 1);
            return i;
        }
    return -1;
}

static void signal_all(const struct children *children, int signal)
{
    for (int i = 0; i < children->workers->count; i++)
        if (children->pids[i])
            kill(children->pids[i], signal);
}

void children_stop(struct children *children, int stop_fd)
{
    signal_all(children, SIGTERM);
    while (children->count && workers_may_go_on(children->workers, stop_fd))
        while (children_reap(children) >= 0)
            ;
    signal_all(children, SIGKILL);
    while (children->count && waitpid(-1, NULL, 0) > 0)
        children->count--;
    close(children->died_fd);
    free(children->pids);
}
