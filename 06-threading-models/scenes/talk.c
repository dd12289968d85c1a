// talk.c: two threads, or two processes, that talk: one writes a message and waits for the
// answer, the other one waits for the message and answers. By memory that both share, with a
// lock and a condition; and by a socket, which copies.
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "claim.h"
#include "measure.h"
#include "net.h"
#include "sanitized.h"
#include "scenes.h"
#include "story.h"

#define MESSAGE_BYTES 65536 // the longest message
#define TALKS         60    // messages, with their answers, in a round
#define FEWER_TALKS   15    // the same between two cores: takes long on a busy machine
#define ROUNDS        4     // each way in turn; of each way the quickest round's median counts
#define TRIES         4     // of all rounds, in case the machine was busy
#define FACTOR        2.0   // what takes more than so many times as long is slower

enum partner { A_THREAD, A_PROCESS, PARTNERS };

// What both sides know. It lies in memory that a child shares with its parent.
static struct talk {
    size_t bytes; // of each message
    bool by_socket;
    int count;   // of the messages in a round
    int core;    // that the partner runs on
    int ends[2]; // of the socket: ours, and the partner's
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    enum { OURS, PARTNERS_TURN, OVER } turn;
    uint8_t memory[MESSAGE_BYTES];
} * talk;

static uint8_t copy[MESSAGE_BYTES], partners_copy[MESSAGE_BYTES]; // what a socket needs

// Writes a message, and reads one: each byte of it.
static void compose(uint8_t *message, uint8_t value)
{
    memset(message, value, talk->bytes);
}

static unsigned sum_of(const uint8_t *message)
{
    unsigned sum = 0;
    for (size_t i = 0; i < talk->bytes; i++)
        sum += message[i];
    return sum;
}

// The calling thread runs on this core only, from now on.
static void stay_on(int core)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    if (sched_setaffinity(0, sizeof cores, &cores))
        die("cannot stay on core %d: %s", core, strerror(errno));
}

static void wait_for_turn(int turn)
{
    while ((int)talk->turn != turn && talk->turn != OVER)
        pthread_cond_wait(&talk->changed, &talk->mutex);
}

// ---- the partner ---------------------------------------------------------------------------

static void answer_by_memory(void)
{
    pthread_mutex_lock(&talk->mutex);
    for (;;) {
        wait_for_turn(PARTNERS_TURN);
        if (talk->turn == OVER)
            break;
        compose(talk->memory, (uint8_t)(sum_of(talk->memory) / talk->bytes + 1));
        talk->turn = OURS;
        pthread_cond_signal(&talk->changed);
    }
    pthread_mutex_unlock(&talk->mutex);
}

static void answer_by_socket(void)
{
    while (read_exactly(talk->ends[1], partners_copy, talk->bytes)) {
        compose(partners_copy, (uint8_t)(sum_of(partners_copy) / talk->bytes + 1));
        if (!write_all(talk->ends[1], partners_copy, talk->bytes))
            return;
    }
}

static void *answer(void *unused)
{
    stay_on(talk->core);
    if (talk->by_socket)
        answer_by_socket();
    else
        answer_by_memory();
    return unused;
}

// ---- this side -----------------------------------------------------------------------------

static unsigned ask_by_memory(uint8_t value)
{
    pthread_mutex_lock(&talk->mutex);
    compose(talk->memory, value);
    talk->turn = PARTNERS_TURN;
    pthread_cond_signal(&talk->changed);
    wait_for_turn(OURS);
    unsigned sum = sum_of(talk->memory);
    pthread_mutex_unlock(&talk->mutex);
    return sum;
}

static unsigned ask_by_socket(uint8_t value)
{
    compose(copy, value);
    if (!write_all(talk->ends[0], copy, talk->bytes) ||
        !read_exactly(talk->ends[0], copy, talk->bytes))
        die("the socket: %s", strerror(errno));
    return sum_of(copy);
}

static void prepare(enum partner partner)
{
    pthread_mutexattr_t mutex;
    pthread_condattr_t condition;
    int shared = PTHREAD_PROCESS_PRIVATE;
    if (partner == A_PROCESS)
        shared = PTHREAD_PROCESS_SHARED;
    talk->turn = OURS;
    if (pthread_mutexattr_init(&mutex) || pthread_condattr_init(&condition) ||
        pthread_mutexattr_setpshared(&mutex, shared) ||
        pthread_condattr_setpshared(&condition, shared) ||
        pthread_mutex_init(&talk->mutex, &mutex) ||
        pthread_cond_init(&talk->changed, &condition) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk->ends))
        die("cannot prepare a talk");
}

static void end_talk(void)
{
    pthread_mutex_lock(&talk->mutex);
    talk->turn = OVER;
    pthread_cond_signal(&talk->changed);
    pthread_mutex_unlock(&talk->mutex);
    shutdown(talk->ends[0], SHUT_RDWR);
}

static void ask_all(double *times)
{
    for (int i = 0; i < talk->count; i++) {
        unsigned sum, value = (unsigned)i % 100;
        int64_t from_ns = now_ns();
        if (talk->by_socket)
            sum = ask_by_socket((uint8_t)value);
        else
            sum = ask_by_memory((uint8_t)value);
        times[i] = (double)(now_ns() - from_ns) / 1e3;
        if (sum != (value + 1) * talk->bytes)
            die("the answer to %u is wrong", value);
    }
}

// Returns the median of the microseconds from a message to its answer.
static double talk_with(enum partner partner)
{
    double times[TALKS];
    pthread_t thread;
    pid_t pid = 0;
    prepare(partner);
    if (partner == A_PROCESS && (pid = fork()) == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        answer(NULL);
        _exit(0);
    }
    if (pid < 0 || (partner == A_THREAD && pthread_create(&thread, NULL, answer, NULL)))
        die("there is no partner: %s", strerror(errno));
    ask_all(times);
    end_talk();
    if (partner == A_PROCESS)
        waitpid(pid, NULL, 0);
    else
        pthread_join(thread, NULL);
    close(talk->ends[0]);
    close(talk->ends[1]);
    pthread_mutex_destroy(&talk->mutex);
    pthread_cond_destroy(&talk->changed);
    return median_of(times, (size_t)talk->count);
}

// ---- the scene -----------------------------------------------------------------------------

static struct way {
    const char *name;
    size_t bytes;
    bool by_socket, two_cores;
    double us[PARTNERS];
} ways[] = {{"1 byte, one core, memory", 1, false, false, {0}},
            {"1 byte, one core, a socket", 1, true, false, {0}},
            {"64 KB, one core, memory", MESSAGE_BYTES, false, false, {0}},
            {"64 KB, one core, a socket", MESSAGE_BYTES, true, false, {0}},
            {"1 byte, two cores, memory", 1, false, true, {0}},
            {"1 byte, two cores, a socket", 1, true, true, {0}}};

enum { ALL_WAYS = sizeof ways / sizeof *ways, ON_ONE_CORE = 4, BY_MEMORY = 0, BY_SOCKET = 1 };

static int ways_tried, cores[2]; // those on one core, or all

// Sets cores[] to the first two that this process may use.
static void choose_cores(const cpu_set_t *usable)
{
    int count = 0;
    for (int core = 0; core < CPU_SETSIZE && count < 2; core++)
        if (CPU_ISSET((size_t)core, usable))
            cores[count++] = core;
    ways_tried = ALL_WAYS;
    if (count < 2)
        ways_tried = ON_ONE_CORE;
}

static void try_all(void)
{
    for (int i = 0; i < ways_tried; i++)
        ways[i].us[A_THREAD] = ways[i].us[A_PROCESS] = INFINITY;
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < ways_tried * PARTNERS; i++) {
            struct way *way = &ways[i / PARTNERS];
            talk->bytes = way->bytes;
            talk->by_socket = way->by_socket;
            talk->core = cores[way->two_cores];
            talk->count = TALKS;
            if (way->two_cores)
                talk->count = FEWER_TALKS;
            double us = talk_with(i % PARTNERS);
            if (us < way->us[i % PARTNERS])
                way->us[i % PARTNERS] = us;
        }
}

// The socket takes not much longer than memory does, for two threads and for two processes.
static bool as_quick(void)
{
    bool quick = true;
    for (int i = 0; i < PARTNERS; i++)
        quick = quick && ways[BY_SOCKET].us[i] < FACTOR * ways[BY_MEMORY].us[i];
    return quick;
}

static bool slower(void)
{
    bool slower = true;
    for (int i = 0; i < PARTNERS; i++)
        slower = slower && ways[BY_SOCKET].us[i] > FACTOR * ways[BY_MEMORY].us[i];
    return slower;
}

static const struct claim faster = {
    "6.43", "guide §6",
    "communication: slower by inter-process communication, faster by shared memory", NOT_HERE,
    "A short message costs a wake-up, whichever way it goes; and two processes can share "
    "memory, too (mmap(2), MAP_SHARED; pthread_mutexattr_setpshared(3)). On one core they take "
    "longer than two threads because the address space changes, not because of the way."};

void scene_talk(void)
{
    enum verdict verdict = UNCLEAR;
    cpu_set_t usable;
    if (SANITIZED) {
        story_say("A sanitizer takes time of its own at each lock: not measured.");
        return;
    }
    talk = mmap(NULL, sizeof *talk, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (talk == MAP_FAILED || sched_getaffinity(0, sizeof usable, &usable))
        die("cannot prepare talks: %s", strerror(errno));
    choose_cores(&usable);
    stay_on(cores[0]);
    story_say("One sends a message and waits for the answer; the other one reads all of it");
    story_say("and answers. Half of the answers are there after:");
    for (int i = 0; i == 0 || (i < TRIES && !as_quick()); i++)
        try_all();
    sched_setaffinity(0, sizeof usable, &usable);
    munmap(talk, sizeof *talk);
    story_head("|two threads|two processes");
    for (int i = 0; i < ways_tried; i++)
        story_row("%s|%.1f us|%.1f us", ways[i].name, ways[i].us[A_THREAD],
                  ways[i].us[A_PROCESS]);
    if (as_quick())
        verdict = NOT_HERE;
    else if (slower())
        verdict = HOLDS;
    const double *memory = ways[BY_MEMORY].us, *socket = ways[BY_SOCKET].us;
    claim_report(
        &faster, verdict,
        "1 byte and its answer, on one core: two threads %.1f us by shared memory, by a "
        "socket %.1f; two processes %.1f, and %.1f",
        memory[A_THREAD], socket[A_THREAD], memory[A_PROCESS], socket[A_PROCESS]);
}
