// crew.c: see crew.h.
#include "crew.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

// Interrupts a worker wherever it waits. It is repeated until the worker has ended, because one
// that comes a moment before accept() interrupts nothing.
#define WORKER_WAKE SIGUSR1

#define SETTLE_SECONDS 5    // within which all workers have to be ready
#define RESTART_MS     1000 // a worker that dies again and again is started no more often
#define WAKE_MS        5    // how often a worker is woken that does not end yet
#define PATIENCE_MS    8000 // for a process that does not end; then it is killed

static void wake(int signal_number)
{
    (void)signal_number; // accept() ends with EINTR: that is all it is for
}

void crew_begin(struct crew *crew, int workers, bool threads)
{
    crew->threads = threads;
    crew->workers = workers;
    crew->figures = figures_begin(workers);
    struct sigaction action = {.sa_handler = wake}; // without SA_RESTART
    if (sigaction(WORKER_WAKE, &action, NULL) || pipe2(crew->stop, O_CLOEXEC))
        die("cannot prepare the workers: %s", strerror(errno));
    for (int i = 0; i < workers; i++)
        crew->worker[i] = (struct worker){
            .number = i + 1, .stop_fd = crew->stop[0], .figures = crew->figures};
}

// ---- one worker ----------------------------------------------------------------------------

static void *run_thread(void *worker)
{
    worker_run(worker);
    return NULL;
}

// False: there can be no further process now.
static bool start_process(struct crew *crew, int i)
{
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return false;
    if (pid == 0) {
        // It lives as long as the supervisor, even if that one is killed.
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
            _exit(1);
        close(crew->stop[1]);
        worker_run(&crew->worker[i]);
        _exit(0);
    }
    crew->member[i].pid = pid;
    return true;
}

static void start(struct crew *crew, int i)
{
    crew->member[i].began_ns = now_ns();
    crew->member[i].again_ns = 0;
    if (!crew->threads) {
        if (!start_process(crew, i))
            crew->member[i].again_ns = crew->member[i].began_ns + RESTART_MS * INT64_C(1000000);
        return;
    }
    int error = pthread_create(&crew->member[i].thread, NULL, run_thread, &crew->worker[i]);
    if (error)
        die("cannot start worker %d: %s", i + 1, strerror(error));
}

// One after the other, so that they stand in the kernel's queues in the order of their numbers.
void crew_start(struct crew *crew)
{
    struct timespec until;
    fflush(stdout); // or every child has a copy of what is not printed yet
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += SETTLE_SECONDS;
    for (int i = 0; i < crew->workers; i++) {
        start(crew, i);
        while (sem_clockwait(&crew->figures->settled, CLOCK_MONOTONIC, &until))
            if (errno != EINTR)
                die("worker %d does not begin: %s", i + 1, strerror(errno));
    }
}

// ---- replacing -----------------------------------------------------------------------------

static void bury(struct crew *crew, pid_t pid, int status)
{
    for (int i = 0; i < crew->workers; i++) {
        if (crew->member[i].pid != pid)
            continue;
        if (WIFSIGNALED(status))
            printf("worker %d, pid %d, has died of signal %d (%s)\n", i + 1, pid,
                   WTERMSIG(status), strsignal(WTERMSIG(status)));
        else
            printf("worker %d, pid %d, has exited with status %d\n", i + 1, pid,
                   WEXITSTATUS(status));
        crew->figures->line[i].pid = crew->figures->line[i].tid = 0;
        crew->member[i].pid = 0;
        crew->member[i].again_ns = crew->member[i].began_ns + RESTART_MS * INT64_C(1000000);
    }
}

int crew_mend(struct crew *crew)
{
    int status, wait_ms = -1;
    for (pid_t pid; !crew->threads && (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        bury(crew, pid, status);
    for (int i = 0; i < crew->workers; i++) {
        int64_t left_ns = crew->member[i].again_ns - now_ns();
        if (!crew->member[i].again_ns)
            continue;
        if (left_ns <= 0)
            start(crew, i);
        else if (wait_ms < 0 || left_ns / 1000000 < wait_ms)
            wait_ms = (int)(left_ns / 1000000) + 1;
    }
    return wait_ms;
}

// ---- the end -------------------------------------------------------------------------------

static bool has_ended(struct crew *crew, int i)
{
    if (crew->threads)
        return pthread_tryjoin_np(crew->member[i].thread, NULL) == 0;
    return crew->member[i].pid == 0 || waitpid(crew->member[i].pid, NULL, WNOHANG) != 0;
}

// It may be in accept(), or just about to call it: see WORKER_WAKE.
static void hurry(struct crew *crew, int i, int64_t until_ns)
{
    if (crew->threads)
        pthread_kill(crew->member[i].thread, WORKER_WAKE);
    else
        kill(crew->member[i].pid, now_ns() < until_ns ? WORKER_WAKE : SIGKILL);
}

// Waits for WAKE_MS, or until somebody asks again to stop: then the workers may drop all.
static void wait_a_little(struct crew *crew, int stop_fd)
{
    struct signalfd_siginfo asked;
    struct pollfd stop = {stop_fd, POLLIN, 0};
    if (poll(&stop, 1, WAKE_MS) == 1 && read(stop_fd, &asked, sizeof asked) > 0 &&
        asked.ssi_signo != SIGCHLD)
        atomic_store(&crew->figures->ending, AT_ONCE);
}

void crew_end(struct crew *crew, enum ending how, int stop_fd)
{
    int64_t until_ns = now_ns() + PATIENCE_MS * INT64_C(1000000);
    atomic_store(&crew->figures->ending, how);
    close(crew->stop[1]);
    for (int i = 0; i < crew->workers; i++)
        while (!has_ended(crew, i)) {
            hurry(crew, i, until_ns);
            wait_a_little(crew, stop_fd);
        }
    close(crew->stop[0]);
}
