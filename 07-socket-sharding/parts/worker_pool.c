// worker_pool.c: see worker_pool.h.
#include "worker_pool.h"

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

#include "log.h"
#include "net.h"

// Interrupts a worker in accept(). The signal is sent again and again until the worker has
// ended: a signal that comes a moment before the call of accept() does not interrupt it.
#define WORKER_WAKE SIGUSR1

#define SETTLE_SECONDS 5    // within this time all workers have to be ready
#define RESTART_MS     1000 // from the start of a worker that dies to the start of the next
#define WAKE_MS        5    // between two signals to a worker that is to end
#define PATIENCE_MS    8000 // a process that has not ended within this time is killed

static void wake(int signal_number)
{
    (void)signal_number; // nothing to do: accept() now returns, with EINTR
}

void worker_pool_begin(struct worker_pool *pool, int workers, bool threads)
{
    pool->threads = threads;
    pool->workers = workers;
    pool->stats = stats_begin(workers);
    struct sigaction action = {.sa_handler = wake}; // without SA_RESTART
    if (sigaction(WORKER_WAKE, &action, NULL) || pipe2(pool->stop, O_CLOEXEC))
        die("cannot prepare the workers: %s", strerror(errno));
    for (int i = 0; i < workers; i++)
        pool->worker[i] =
            (struct worker){.number = i + 1, .stop_fd = pool->stop[0], .stats = pool->stats};
}

// ---- one worker ----------------------------------------------------------------------------

static void *run_thread(void *worker)
{
    worker_run(worker);
    return NULL;
}

// Forks worker i. False: there can be no further process now.
static bool start_process(struct worker_pool *pool, int i)
{
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return false;
    if (pid == 0) {
        // The worker dies with its supervisor, even if that is killed.
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
            _exit(1);
        close(pool->stop[1]);
        worker_run(&pool->worker[i]);
        log_end();
        _exit(0);
    }
    pool->member[i].pid = pid;
    return true;
}

static void start(struct worker_pool *pool, int i)
{
    pool->member[i].began_ns = now_ns();
    pool->member[i].again_ns = 0;
    if (!pool->threads) {
        if (!start_process(pool, i))
            pool->member[i].again_ns = pool->member[i].began_ns + RESTART_MS * INT64_C(1000000);
        return;
    }
    int error = pthread_create(&pool->member[i].thread, NULL, run_thread, &pool->worker[i]);
    if (error)
        die("cannot start worker %d: %s", i + 1, strerror(error));
}

// The workers are started one after the other, so that in the kernel's wait queues they stand
// in the order of their numbers.
void worker_pool_start(struct worker_pool *pool)
{
    struct timespec until;
    fflush(stdout); // else every child would print what is in the buffer now
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SETTLE_SECONDS;
    for (int i = 0; i < pool->workers; i++) {
        start(pool, i);
        while (sem_timedwait(&pool->stats->settled, &until))
            if (errno != EINTR)
                die("worker %d does not begin: %s", i + 1, strerror(errno));
    }
}

// ---- replacing -----------------------------------------------------------------------------

// A worker has died: says so, and notes when it is to be replaced.
static void note_death(struct worker_pool *pool, pid_t pid, int status)
{
    for (int i = 0; i < pool->workers; i++) {
        if (pool->member[i].pid != pid)
            continue;
        if (WIFSIGNALED(status))
            printf("worker %d, pid %d, has died of signal %d (%s)\n", i + 1, pid,
                   WTERMSIG(status), strsignal(WTERMSIG(status)));
        else
            printf("worker %d, pid %d, has exited with status %d\n", i + 1, pid,
                   WEXITSTATUS(status));
        pool->stats->line[i].pid = pool->stats->line[i].tid = 0;
        pool->member[i].pid = 0;
        pool->member[i].again_ns = pool->member[i].began_ns + RESTART_MS * INT64_C(1000000);
    }
}

int worker_pool_mend(struct worker_pool *pool)
{
    int status, wait_ms = -1;
    for (pid_t pid; !pool->threads && (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        note_death(pool, pid, status);
    for (int i = 0; i < pool->workers; i++) {
        int64_t left_ns = pool->member[i].again_ns - now_ns();
        if (!pool->member[i].again_ns)
            continue;
        if (left_ns <= 0)
            start(pool, i);
        else if (wait_ms < 0 || left_ns / 1000000 < wait_ms)
            wait_ms = (int)(left_ns / 1000000) + 1;
    }
    return wait_ms;
}

// ---- the end -------------------------------------------------------------------------------

static bool has_ended(struct worker_pool *pool, int i)
{
    if (pool->threads)
        return pthread_tryjoin_np(pool->member[i].thread, NULL) == 0;
    return pool->member[i].pid == 0 || waitpid(pool->member[i].pid, NULL, WNOHANG) != 0;
}

// Interrupts a worker that has not ended yet: see WORKER_WAKE. After until_ns kills it, if it
// is a process.
static void interrupt_worker(struct worker_pool *pool, int i, int64_t until_ns)
{
    if (pool->threads)
        pthread_kill(pool->member[i].thread, WORKER_WAKE);
    else if (now_ns() < until_ns)
        kill(pool->member[i].pid, WORKER_WAKE);
    else
        kill(pool->member[i].pid, SIGKILL);
}

// Waits for WAKE_MS. If a second signal to stop comes, tells the workers to drop their clients.
static void wait_a_little(struct worker_pool *pool, int stop_fd)
{
    struct signalfd_siginfo asked;
    struct pollfd stop = {stop_fd, POLLIN, 0};
    if (poll(&stop, 1, WAKE_MS) == 1 && read(stop_fd, &asked, sizeof asked) > 0 &&
        asked.ssi_signo != SIGCHLD)
        atomic_store(&pool->stats->ending, AT_ONCE);
}

void worker_pool_end(struct worker_pool *pool, enum ending how, int stop_fd)
{
    int64_t until_ns = now_ns() + PATIENCE_MS * INT64_C(1000000);
    atomic_store(&pool->stats->ending, how);
    close(pool->stop[1]);
    for (int i = 0; i < pool->workers; i++)
        while (!has_ended(pool, i)) {
            interrupt_worker(pool, i, until_ns);
            wait_a_little(pool, stop_fd);
        }
    close(pool->stop[0]);
}
