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

void children_open(struct children *children, struct crew *crew)
{
    sigset_t died;
    sigemptyset(&died);
    sigaddset(&died, SIGCHLD);
    *children = (struct children){.crew = crew};
    children->pids = calloc((size_t)crew->worker_count, sizeof *children->pids);
    if (!children->pids || sigprocmask(SIG_BLOCK, &died, NULL) ||
        (children->died_fd = signalfd(-1, &died, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        die("cannot prepare for %d children: %s", crew->worker_count, strerror(errno));
}

void children_begin(struct children *children)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != children->crew->pid) // it was quicker
        _exit(0);
    close(children->died_fd);
}

int children_reap(struct children *children, bool *crashed)
{
    struct signalfd_siginfo signal; // one for any number of deaths: waitpid() knows them all
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0 && read(children->died_fd, &signal, sizeof signal) > 0)
        pid = waitpid(-1, &status, WNOHANG);
    for (int i = 0; pid > 0 && i < children->crew->worker_count; i++)
        if (children->pids[i] == pid) {
            children->pids[i] = 0;
            children->count--;
            *crashed = WIFSIGNALED(status);
            if (*crashed)
                atomic_fetch_add(&children->crew->crashed, 1);
            return i;
        }
    return -1;
}

static void tell_all(const struct children *children, int signal)
{
    for (int i = 0; i < children->crew->worker_count; i++)
        if (children->pids[i])
            kill(children->pids[i], signal);
}

void children_stop(struct children *children, struct acceptor *acceptor)
{
    bool crashed;
    tell_all(children, SIGTERM);
    do
        while (children_reap(children, &crashed) >= 0)
            ;
    while (children->count && acceptor_wait_for_end(acceptor));
    tell_all(children, SIGKILL);
    while (children->count && waitpid(-1, NULL, 0) > 0)
        children->count--;
    close(children->died_fd);
    free(children->pids);
}
