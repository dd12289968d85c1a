// idle.c: what a silent connection costs: a process, a thread, or a few bytes. And what it
// costs to make a process, and a thread.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "claim.h"
#include "host.h"
#include "kernel_memory.h"
#include "lab.h"
#include "load.h"
#include "measure.h"
#include "net.h"
#include "process_usage.h"
#include "sanitized.h"
#include "scenes.h"
#include "story.h"

#define FEW          1000
#define MANY         10000
#define SPARE_FILES  200
#define PATIENCE_MS  20000 // of a load whose connections should all be served: it ends with them
#define ENOUGH_MS    3000  // for threads: how many there can be depends on the machine
#define BATCH        50    // processes, or threads, made one after the other
#define BATCHES      10    // the quickest batch counts
#define LIGHTER      1.5   // a process takes more than so many times what a thread takes
#define BUFFER_KB    128   // as the notes reckon for the buffers of a connection
#define NO_BUFFER_KB 3    // less than a buffer with one byte in it takes, which is a page: 4 KB
#define MB_IN_KB     1000 // the notes say that a thread takes so much
#define STATE_KB     1    // and so much the kernel's state of a connection
#define READINGS     10   // of the kernel's memory
#define READING_MS   20   // between them
#define ENDS         2    // of each connection, both on this machine
#define DEFAULT_MAPS 65530 // vm.max_map_count, unless it is set

struct result {
    int held;                               // connections
    int tasks;                              // processes and threads
    double resident_kb, virtual_kb;         // for each connection
    double all_resident_mb, all_virtual_mb; // for all connections
    double maps;                            // ranges of addresses for each task
    // Of the kernel:
    double kernel_stack_kb; // for each task, beside what is resident
    double buffers_kb;      // for each connection
    double slab_kb;         // for each end of a connection
};

// What the kernel uses while all are silent. Other programs' bytes come and go: of some
// readings the one with the fewest bytes in buffers counts.
static void read_quiet_kernel(struct kernel_memory *memory)
{
    kernel_memory_read(memory);
    for (int i = 0; i < READINGS; i++) {
        struct kernel_memory again;
        sleep_ms(READING_MS);
        kernel_memory_read(&again);
        if (again.buffers_kb < memory->buffers_kb)
            *memory = again;
    }
}

// Opens connections that ask once and then are silent. Measures what they cost.
static void hold(const char *model, int connections, int ms, struct result *result)
{
    static struct load load;
    static struct load_target target;
    struct process_usage before, after;
    struct kernel_memory kernel_before, kernel;
    struct lab lab;
    target = (struct load_target){
        .path = "/cheap", .connections = connections, .pause_ms = LOAD_ONCE};
    lab_start(&lab, model, "--connections %d --idle-ms 60000", connections);
    process_usage_read(lab.pid, &before);
    kernel_memory_read(&kernel_before);
    load_open(&load, "127.0.0.1", lab.port, &target, 1);
    load_run(&load, ms, 0);
    process_usage_read(lab.pid, &after);
    read_quiet_kernel(&kernel);
    load_close(&load);
    lab_stop(&lab);
    if (!target.served)
        die("%s has served none of %d connections", model, connections);
    double held = target.served, tasks = after.threads;
    double resident_kb = (double)(after.resident_kb - before.resident_kb);
    double virtual_kb = (double)(after.virtual_kb - before.virtual_kb);
    *result = (struct result){
        target.served,
        after.threads,
        resident_kb / held,
        virtual_kb / held,
        resident_kb / 1024,
        virtual_kb / 1024,
        (double)(after.maps - before.maps) / tasks,
        (double)(kernel.stacks_kb - kernel_before.stacks_kb) / tasks,
        (double)(kernel.buffers_kb - kernel_before.buffers_kb) / held,
        (double)(kernel.slab_kb - kernel_before.slab_kb) / held / ENDS,
    };
}

static void show(const char *model, const struct result *r)
{
    story_row("%s|%d|%d|%.1f KB|%.1f KB|%.0f MB", model, r->held, r->tasks, r->virtual_kb,
              r->resident_kb, r->all_resident_mb);
}

// ---- what it costs to make one -------------------------------------------------------------

static void make_process(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    if (pid < 0 || waitpid(pid, NULL, 0) != pid)
        die("no process: %s", strerror(errno));
}

static void *do_nothing(void *nothing)
{
    return nothing;
}

static void make_thread(void)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, do_nothing, NULL);
    if (error || pthread_join(thread, NULL))
        die("no thread: %s", strerror(error));
}

// CPU time so far: of this process with its threads, and of its children that have ended.
static double cpu_us(void)
{
    struct rusage mine, childrens;
    getrusage(RUSAGE_SELF, &mine);
    getrusage(RUSAGE_CHILDREN, &childrens);
    return 1e6 * (double)(mine.ru_utime.tv_sec + mine.ru_stime.tv_sec +
                          childrens.ru_utime.tv_sec + childrens.ru_stime.tv_sec) +
           (double)(mine.ru_utime.tv_usec + mine.ru_stime.tv_usec + childrens.ru_utime.tv_usec +
                    childrens.ru_stime.tv_usec);
}

// Microseconds of CPU time to make one, and for it to end.
static double cost_of(void (*make)(void))
{
    double us[BATCHES];
    for (int i = 0; i < BATCHES; i++) {
        double began_us = cpu_us();
        for (int n = 0; n < BATCH; n++)
            make();
        us[i] = (cpu_us() - began_us) / BATCH;
    }
    return least_of(us, BATCHES);
}

// ---- the scene -----------------------------------------------------------------------------

static const struct claim lighter = {"6.2", "guide §6", "threads are lighter than processes",
                                     HOLDS, NULL};
static const struct claim megabyte = {
    "6.3", "load balancing", "a thread is a 1 MB stack; 10,000 of them: RAM explosion",
    NOT_HERE,
    "A stack is reserved, not used: a page of it takes memory when it is touched for the first "
    "time (mmap(2), pthread_create(3); how much is reserved: ulimit -s, getrlimit(2))."};

static const struct claim few_threads = {"6.36", "load balancing",
                                         "an event loop: 10,000 connections in 1 to 4 threads",
                                         HOLDS, NULL};
static const struct claim buffers = {
    "6.39", "load balancing", "10,000 connections x 128 KB = 1.28 GB just for buffers",
    NOT_HERE,
    "That is how large they may grow: a buffer takes memory for the bytes that are in it, and "
    "an idle connection has none (tcp(7), tcp_rmem, tcp_wmem; /proc/net/sockstat, mem)."};
static const struct claim state = {"6.44", "load balancing",
                                   "a connection costs some 1 KB of TCP state in the kernel",
                                   NOT_HERE,
                                   "struct tcp_sock alone is longer (/proc/net/protocols, "
                                   "size); a socket, an open file and an "
                                   "entry of epoll come on top (/proc/meminfo, Slab)."};
static const struct claim threads_max = {
    "6.45", "load balancing", "threads per process: some 1,000 to 10,000", NOT_HERE,
    "A thread's stack is a range of addresses with a guard page in front, and vm.max_map_count "
    "limits the ranges of a process (65,530 or more: the kernel's admin-guide/sysctl/vm.rst); "
    "ulimit -u and a container's pids.max may allow fewer threads."};

// Returns MANY, or fewer if there cannot be so many descriptors.
static int many(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < MANY + SPARE_FILES)
        return (int)files.rlim_cur - SPARE_FILES;
    return MANY;
}

static void report_buffers(const struct result *loop)
{
    enum verdict verdict = UNCLEAR;
    if (loop->buffers_kb < NO_BUFFER_KB)
        verdict = NOT_HERE;
    else if (loop->buffers_kb > BUFFER_KB / 2.0)
        verdict = HOLDS;
    double kb = loop->buffers_kb;
    if (kb < 0) // other programs have given some back meanwhile
        kb = 0;
    claim_report(&buffers, verdict,
                 "%d idle connections, both ends here: %.2f KB of buffers for each", loop->held,
                 kb);
}

static void report_state(const struct result *loop)
{
    long bytes = kernel_socket_bytes();
    enum verdict verdict = UNCLEAR;
    if (bytes > 1536 * STATE_KB)
        verdict = NOT_HERE;
    else if (bytes > 0)
        verdict = HOLDS;
    // The slabs are those of all programs of this machine: they are shown, and judge nothing.
    claim_report(&state, verdict,
                 "the struct of a TCP socket has %ld bytes; while %d connections came, all of "
                 "the kernel's slabs grew by %.1f KB for each end",
                 bytes, loop->held, loop->slab_kb);
}

// How many threads a process may have: each takes so many ranges of addresses.
static void report_threads_max(const struct result *threads)
{
    enum verdict verdict = UNCLEAR;
    double most = 0;
    if (threads->maps > 0)
        most = (double)kernel_maps_max() / threads->maps;
    if (most > 2 * MANY)
        verdict = NOT_HERE;
    else if (most > 0 && most <= MANY)
        verdict = HOLDS;
    if (kernel_maps_max() < DEFAULT_MAPS)
        verdict = SKIPPED; // this machine's owner has lowered it
    claim_report(&threads_max, verdict,
                 "%d threads here, with %.1f ranges of addresses each: of %ld (max_map_count) "
                 "there may be %.0f",
                 threads->tasks, threads->maps, kernel_maps_max(), most);
}

static void compare(void)
{
    static const char *const few[] = {"fork", "thread", "pool", "readers", "loop"};
    struct result process = {0}, thread = {0}, result;
    double process_us = cost_of(make_process), thread_us = cost_of(make_thread);
    story_say("Connections that have asked once, and then are silent. Tasks: processes and");
    story_say(
        "threads. Reserved: addresses, resident: memory, of each connection; in all: memory.");
    story_head("|connections|tasks|reserved|resident|in all");
    for (size_t i = 0; i < sizeof few / sizeof *few; i++) {
        hold(few[i], FEW, PATIENCE_MS, &result);
        show(few[i], &result);
        if (i == 0)
            process = result;
        if (i == 1)
            thread = result;
    }
    struct result threads, loop;
    hold("thread", many(), ENOUGH_MS, &threads);
    show("thread", &threads);
    hold("loop", many(), PATIENCE_MS, &loop);
    show("loop", &loop);
    story_say("");
    story_say("The kernel keeps more for each thread: a stack of its own, here %.0f KB, and",
              threads.kernel_stack_kb);
    story_say(
        "page tables. (The notes speak of Java's threads: they reserve in the same way.)");
    story_say("");
    story_bar("to make a process", process_us, process_us, "%.0f us of CPU time", process_us);
    story_bar("to make a thread", thread_us, process_us, "%.0f us", thread_us);
    bool is_lighter =
        process_us > LIGHTER * thread_us && process.resident_kb > LIGHTER * thread.resident_kb;
    claim_report(
        &lighter, holds_if(is_lighter),
        "made in %.0f us, a process in %.0f; with a connection that is silent it takes "
        "%.0f KB, a process %.0f",
        thread_us, process_us, thread.resident_kb, process.resident_kb);
    enum verdict verdict = HOLDS;
    if (thread.virtual_kb > MB_IN_KB && threads.resident_kb < MB_IN_KB / 10)
        verdict = NOT_HERE;
    claim_report(&megabyte, verdict,
                 "%.0f KB reserved for each, %.0f resident; %d threads: %.0f MB of memory",
                 threads.virtual_kb, threads.resident_kb, threads.tasks,
                 threads.all_resident_mb);
    if (many() < MANY)
        claim_report(&few_threads, SKIPPED, "ulimit -Hn allows no %d descriptors", MANY);
    else
        claim_report(&few_threads,
                     holds_if(loop.held == MANY && loop.tasks >= 1 && loop.tasks <= 4),
                     "%d connections, %d thread, %.0f MB of memory", loop.held, loop.tasks,
                     loop.all_resident_mb);
    report_buffers(&loop);
    report_state(&loop);
    report_threads_max(&threads);
}

void scene_idle(void)
{
    if (SANITIZED) {
        story_say("A sanitizer keeps memory of its own for each thread: not measured.");
    } else if (!host_files(FEW + SPARE_FILES)) {
        const struct claim *const rest[] = {&megabyte, &few_threads, &buffers, &state,
                                            &threads_max};
        claim_report(&lighter, SKIPPED,
                     "more descriptors are needed than ulimit -Hn allows: %d",
                     FEW + SPARE_FILES);
        for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
            claim_report(rest[i], SKIPPED, "the same");
    } else {
        compare();
    }
}
