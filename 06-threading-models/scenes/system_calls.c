// system_calls.c: how often each model calls the kernel for a request. The scene starts the
// servers as a debugger does, and so sees each of their system calls (ptrace(2)).
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "claim.h"
#include "lab.h"
#include "load.h"
#include "net.h"
#include "sanitized.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define CONNECTIONS 16
#define WARM_UP     200  // requests
#define MEASURED    1000 // requests
#define PATIENCE_MS 10000
#define LESS        0.5 // this part of the loop's calls, at most, counts as less

// What the process that watches the server tells the scene.
struct watched {
    atomic_long stops; // two for each system call: when it begins, and when it ends
    atomic_int pid;    // of the server
    atomic_int failed; // an errno: a process cannot be watched here
};

static _Noreturn void become_server(const char *model, int ready_fd)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    unsetenv("WIRE_PACKET_LOG"); // that is for the pair's own server
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
        _exit(127);
    raise(SIGSTOP); // until the watcher has said what it wants to see
    if (!freopen("/dev/null", "w", stdout))
        _exit(127);
    spawn_hand_over(ready_fd);
    execl("./server", "./server", "--port", "0", "--workers", "4", "--model", model, NULL);
    _exit(127);
}

// Starts the server, and counts its system calls, and those of its threads and children, until
// it ends.
static _Noreturn void watch(struct watched *w, const char *model, int ready_fd)
{
    int status, wanted = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                         PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL;
    prctl(PR_SET_PDEATHSIG, SIGKILL); // the watcher ends with the scene, and the server with it
    pid_t server = fork(), task;
    if (server == 0)
        become_server(model, ready_fd);
    close(ready_fd);
    if (server < 0 || waitpid(server, &status, 0) < 0 || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, server, NULL, wanted) ||
        ptrace(PTRACE_SYSCALL, server, NULL, 0)) {
        atomic_store(&w->failed, EPERM);
        _exit(1);
    }
    atomic_store(&w->pid, server);
    while ((task = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status))
            continue;
        int signal = WSTOPSIG(status);
        if (signal == (SIGTRAP | 0x80))
            atomic_fetch_add(&w->stops, 1);
        if (signal == (SIGTRAP | 0x80) || signal == SIGTRAP || signal == SIGSTOP)
            signal = 0; // not a signal: a system call, a new program, or a new task
        ptrace(PTRACE_SYSCALL, task, NULL, signal);
    }
    _exit(0);
}

// Lets the server of this port answer requests; returns the system calls for each of them.
static double calls_for_each(struct watched *w, int port)
{
    static struct load load;
    static struct load_target target;
    target = (struct load_target){.path = "/cheap", .connections = CONNECTIONS};
    load_open(&load, "127.0.0.1", port, &target, 1);
    load_run(&load, PATIENCE_MS, WARM_UP);
    long before = atomic_load(&w->stops);
    load_run(&load, PATIENCE_MS, MEASURED);
    double calls = (double)(atomic_load(&w->stops) - before) / 2;
    double answers = (double)target.latency.total;
    load_close(&load);
    if (answers < MEASURED)
        return 0;
    return calls / answers;
}

// Returns the system calls of a model for each request; 0: they cannot be counted here.
static double count_calls(const char *model)
{
    struct watched *w =
        mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ready[2];
    char line[16] = "";
    if (w == MAP_FAILED || pipe(ready))
        die("no memory, or no pipe: %s", strerror(errno));
    fflush(stdout);
    pid_t watcher = fork();
    if (watcher == 0) {
        close(ready[0]);
        watch(w, model, ready[1]);
    }
    close(ready[1]);
    ssize_t length = read(ready[0], line, sizeof line - 1); // the port; the end, if it fails
    double calls = 0;
    if (length > 0)
        calls = calls_for_each(w, atoi(line));
    if (atomic_load(&w->pid) > 0)
        kill(atomic_load(&w->pid), SIGTERM);
    close(ready[0]);
    if (watcher > 0)
        waitpid(watcher, NULL, 0);
    munmap(w, sizeof *w);
    return calls;
}

static const struct claim rings = {
    "6.12", "guide §8.1", "io_uring: asynchronous I/O, by rings shared with the kernel", HOLDS,
    NULL};

void scene_system_calls(void)
{
    double calls[LAB_MODELS_MAX], most = 0;
    story_say(
        "%d connections ask for /cheap. How many system calls does a server make for each "
        "request, its threads and processes together?\n",
        CONNECTIONS);
    if (SANITIZED) {
        story_say("A sanitizer looks for leaks as a debugger does, and there can be only one: "
                  "not measured.");
        return;
    }
    for (int i = 0; i < model_count(); i++) {
        calls[i] = count_calls(models[i].name);
        if (calls[i] > most)
            most = calls[i];
    }
    for (int i = 0; i < model_count(); i++)
        story_bar(models[i].name, calls[i], most, "%.2f", calls[i]);
    double loop = calls[lab_model("loop")];
    if (model_left_out()) {
        claim_report(&rings, SKIPPED, "%s", model_left_out());
        return;
    }
    if (loop <= 0) {
        claim_report(&rings, SKIPPED, "this machine does not let a process be watched");
        return;
    }
    double uring = calls[lab_model("uring")];
    claim_report(
        &rings, holds_if(uring > 0 && uring < LESS * loop),
        "%.2f system calls for a request, where a loop with epoll makes %.2f: one call "
        "hands over the reads and writes of all connections",
        uring, loop);
}
