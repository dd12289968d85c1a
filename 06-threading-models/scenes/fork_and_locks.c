// fork_and_locks.c: a program has threads, and forks. The child has one thread only: the one
// that called fork(). A lock that another thread held at that moment stays locked in the child,
// because the thread that would unlock it is not there.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "claim.h"
#include "measure.h"
#include "net.h"
#include "sanitized.h"
#include "scenes.h"
#include "story.h"

#define HANGS_MS    150   // a child that waits so long will wait for ever
#define PATIENCE_MS 20000 // a child that does not hang has all the time that it wants
#define HELD_MS     30    // the other thread has the lock so long, where it is to give it back

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool locked, give_back;

// The other thread: it has the lock, as malloc() or printf() has one for a moment.
static void *hold(void *unused)
{
    pthread_mutex_lock(&lock);
    atomic_store(&locked, true);
    if (atomic_load(&give_back)) {
        sleep_ms(HELD_MS);
        pthread_mutex_unlock(&lock);
        return unused;
    }
    for (;;)
        pause();
}

static void start_the_other_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, hold, NULL))
        die("no thread");
    while (!atomic_load(&locked))
        sleep_ms(1);
}

static _Noreturn void use_the_lock(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    _exit(0);
}

static void take_lock(void)
{
    pthread_mutex_lock(&lock);
}

static void give_lock(void)
{
    pthread_mutex_unlock(&lock);
}

// ---- four programs; each returns the child that it has forked ------------------------------

static pid_t fork_and_go_on(void)
{
    start_the_other_thread();
    pid_t child = fork();
    if (child == 0)
        use_the_lock();
    return child;
}

// The new program begins with locks of its own.
static pid_t fork_and_exec(void)
{
    start_the_other_thread();
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl("./server", "./server", "--help", NULL);
        _exit(127);
    }
    return child;
}

// fork() takes the lock first: so the thread that forks has it, and that thread is in the
// child.
static pid_t fork_with_atfork(void)
{
    atomic_store(&give_back, true);
    pthread_atfork(take_lock, give_lock, give_lock);
    return fork_and_go_on();
}

// As model_prefork.c does: all processes first, then threads.
static pid_t fork_before_threads(void)
{
    pid_t child = fork();
    if (child == 0)
        use_the_lock();
    start_the_other_thread();
    return child;
}

static struct program {
    const char *name;
    pid_t (*run)(void);
    bool expected, hangs;
    char told[60]; // what became of its child
} programs[] = {{"fork(), and go on", fork_and_go_on, true, false, ""},
                {"fork(), then exec()", fork_and_exec, false, false, ""},
                {"pthread_atfork()", fork_with_atfork, false, false, ""},
                {"fork() before threads", fork_before_threads, false, false, ""}};

// ---- the scene -----------------------------------------------------------------------------

// Waits for a child. False: it does not end, and is killed.
static bool ends(pid_t child, int patience_ms)
{
    int64_t until_ns = now_ns() + patience_ms * INT64_C(1000000);
    while (now_ns() < until_ns) {
        if (waitpid(child, NULL, WNOHANG) == child)
            return true;
        sleep_ms(1);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return false;
}

// Runs a program in a process of its own. Returns whether its child hangs.
static bool try_program(const struct program *program)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int patience_ms = PATIENCE_MS;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!freopen("/dev/null", "w", stdout))
            _exit(2);
        if (program->expected)
            patience_ms = HANGS_MS;
        _exit(!ends(program->run(), patience_ms));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) > 1)
        die("%s: the program fails", program->name);
    return WEXITSTATUS(status) == 1;
}

static const struct claim stays_locked = {
    "6.15", "(ours)",
    "fork() beside threads: a lock that another thread holds is never given back", HOLDS, NULL};

void scene_fork_and_locks(void)
{
    bool as_expected = true;
    story_say("A program has two threads. One of them has a lock; the other one calls fork(),");
    story_say("and the child wants the lock. (malloc() and printf() have locks, too.)");
    if (THREAD_SANITIZED) {
        story_say("The thread sanitizer does not allow what this scene does: not tried.");
        return;
    }
    story_head("the program|its child");
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        struct program *p = &programs[i];
        int64_t start_ns = now_ns();
        const char *said = "has ended";
        p->hangs = try_program(p);
        as_expected = as_expected && p->hangs == p->expected;
        if (p->hangs)
            said = "still waits";
        snprintf(p->told, sizeof p->told, "%s after %.0f ms", said, ms_since(start_ns));
        story_row("%s|%s", p->name, p->told);
    }
    claim_report(&stays_locked, holds_if(as_expected),
                 "with fork() alone the child %s, with exec() it %s, with pthread_atfork() it "
                 "%s, and if the program forks before it has threads it %s",
                 programs[0].told, programs[1].told, programs[2].told, programs[3].told);
}
