// spawn.c: see spawn.h.
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net.h"

void spawn_hand_over(int ready_fd)
{
    char text[16];
    int fd = 3;
    // One that is open, and stays open for the server, belongs to another program: the packet
    // log, make's jobs.
    while (fd < 9 && fd != ready_fd && fcntl(fd, F_GETFD) == 0)
        fd++;
    if (fd == ready_fd)
        fcntl(fd, F_SETFD, 0);
    else
        dup2(ready_fd, fd);
    snprintf(text, sizeof text, "%d", fd);
    setenv("READY_FD", text, 1);
}

static _Noreturn void become(const char *const argv[], int ready_fd)
{
    sigset_t none;
    int silence = open("/dev/null", O_WRONLY);
    // The pair's own server is another one: what the environment says of it is not for this
    // one.
    unsetenv("WIRE_PACKET_LOG");
    spawn_hand_over(ready_fd);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (silence >= 0)
        dup2(silence, STDOUT_FILENO);
    execv(argv[0], (char *const *)argv);
    fprintf(stderr, "cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

int spawn_server(pid_t *pid, const char *const argv[])
{
    char port[16] = "";
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) || (*pid = fork()) < 0)
        die("cannot start a process: %s", strerror(errno));
    if (*pid == 0)
        become(argv, ready[1]);
    close(ready[1]);
    struct pollfd written = {ready[0], POLLIN, 0};
    if (poll(&written, 1, SPAWN_WAIT_MS) < 1 || read(ready[0], port, sizeof port - 1) < 1) {
        kill(*pid, SIGKILL);
        spawn_wait(*pid);
    }
    close(ready[0]);
    return atoi(port);
}

int spawn_wait(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            die("cannot wait for a process: %s", strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int spawn_stop(pid_t pid)
{
    kill(pid, SIGTERM);
    return spawn_wait(pid);
}
