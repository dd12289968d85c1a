// cascade.c: service A needs B, C and D for its answer. Either each calls the next one and
// waits, or A asks all three at once.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define USERS   10 // that ask A at the same time
#define WORK_MS 20 // of each of the four services
#define CALLED  3  // B, C, D
#define ROUNDS  5
#define TRIES   4
#define LESS    0.75 // this part of the time, at most, counts as less

// A connection to a service. The service has a thread for it. With `next` the service needs a
// further one for its answer.
struct call {
    int caller, callee; // the two ends
    struct call *next;
};

// Of each user: the calls A to B, B to C, C to D; and those of A to B, C and D.
static struct call chain[USERS][CALLED], direct[USERS][CALLED];

static atomic_int waiting, most_waiting; // threads that wait for another service
static double times[ROUNDS * USERS];     // ms, of each answer of A
static atomic_size_t answered;

static void begin_to_wait(int threads)
{
    int now = atomic_fetch_add(&waiting, threads) + threads, most = atomic_load(&most_waiting);
    while (now > most && !atomic_compare_exchange_weak(&most_waiting, &most, now))
        ;
}

static void put(int fd)
{
    if (write(fd, "", 1) != 1)
        die("cannot call a service: %s", strerror(errno));
}

static bool take(int fd)
{
    char byte;
    return read(fd, &byte, 1) == 1;
}

static void call_and_wait(const struct call *call)
{
    begin_to_wait(1);
    put(call->caller);
    take(call->caller);
    atomic_fetch_sub(&waiting, 1);
}

static void *serve(void *argument)
{
    const struct call *call = argument;
    while (take(call->callee)) {
        sleep_ms(WORK_MS);
        if (call->next)
            call_and_wait(call->next);
        put(call->callee);
    }
    return NULL;
}

// ---- three ways to write A -----------------------------------------------------------------

// A thread for each user; it calls B, and B calls C ...
static void *one_calls_the_next(void *argument)
{
    const size_t *user = argument;
    int64_t from_ns = now_ns();
    sleep_ms(WORK_MS);
    call_and_wait(&chain[*user][0]);
    times[atomic_fetch_add(&answered, 1)] = ms_since(from_ns);
    return NULL;
}

// A thread for each user; it asks B, C and D at once.
static void *a_asks_all(void *argument)
{
    const size_t *user = argument;
    int64_t from_ns = now_ns();
    sleep_ms(WORK_MS);
    begin_to_wait(1);
    for (int i = 0; i < CALLED; i++)
        put(direct[*user][i].caller);
    for (int i = 0; i < CALLED; i++)
        take(direct[*user][i].caller);
    atomic_fetch_sub(&waiting, 1);
    times[atomic_fetch_add(&answered, 1)] = ms_since(from_ns);
    return NULL;
}

// One thread for all users: it works for none of them while an answer is missing, and sleeps
// only when there is nothing at all to do.
static void *a_is_a_loop(void *unused)
{
    struct pollfd answers[USERS * CALLED];
    int missing[USERS], users = USERS;
    int64_t from_ns = now_ns();
    sleep_ms(WORK_MS); // timers, in a server: A's own work for all users is done by then
    for (int i = 0; i < USERS * CALLED; i++) {
        answers[i] = (struct pollfd){direct[i / CALLED][i % CALLED].caller, POLLIN, 0};
        put(answers[i].fd);
    }
    for (int i = 0; i < USERS; i++)
        missing[i] = CALLED;
    begin_to_wait(1);
    while (users > 0 && poll(answers, USERS * CALLED, -1) > 0)
        for (int i = 0; i < USERS * CALLED; i++)
            if (answers[i].revents && take(answers[i].fd) && --missing[i / CALLED] == 0) {
                times[atomic_fetch_add(&answered, 1)] = ms_since(from_ns);
                users--;
            }
    atomic_fetch_sub(&waiting, 1);
    return unused;
}

static struct way {
    const char *name;
    void *(*run)(void *);
    int threads; // of A
    double ms;
    int waiting;
} ways[] = {{"each calls the next", one_calls_the_next, USERS, 0, 0},
            {"A asks three at once", a_asks_all, USERS, 0, 0},
            {"the same, A is a loop", a_is_a_loop, 1, 0, 0}};

// ---- the scene -----------------------------------------------------------------------------

static void try_way(struct way *way)
{
    pthread_t threads[USERS];
    size_t numbers[USERS];
    atomic_store(&answered, 0);
    atomic_store(&most_waiting, 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < (size_t)way->threads; i++) {
            numbers[i] = i;
            if (pthread_create(&threads[i], NULL, way->run, &numbers[i]))
                die("no thread");
        }
        for (int i = 0; i < way->threads; i++)
            pthread_join(threads[i], NULL);
    }
    way->ms = median_of(times, atomic_load(&answered));
    way->waiting = atomic_load(&most_waiting);
}

static pthread_t services[2 * USERS * CALLED];

static void start_service(int number, struct call *call, struct call *next)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        die("no socket: %s", strerror(errno));
    *call = (struct call){ends[0], ends[1], next};
    if (pthread_create(&services[number], NULL, serve, call))
        die("no thread");
}

static void start_services(void)
{
    for (int user = 0; user < USERS; user++)
        for (int i = CALLED - 1; i >= 0; i--) {
            int number = user * CALLED + i;
            struct call *next = NULL;
            if (i + 1 < CALLED)
                next = &chain[user][i + 1];
            start_service(number, &chain[user][i], next);
            start_service(USERS * CALLED + number, &direct[user][i], NULL);
        }
}

static void end_service(int number, const struct call *call)
{
    close(call->caller);
    pthread_join(services[number], NULL);
    close(call->callee);
}

// At most one thread of A waits for each user when A asks all at once; in the chain it is up to
// three, in all services together.
static bool as_documented(void)
{
    const struct way *next = &ways[0], *all = &ways[1], *loop = &ways[2];
    bool less = all->ms < LESS * next->ms && loop->ms < LESS * next->ms;
    return less && next->ms >= (CALLED + 1) * WORK_MS && next->waiting > USERS &&
           loop->waiting == 1;
}

static const struct claim adds_up = {
    "6.13", "ch. 18.1",
    "synchronous calls: the latencies add up, and the caller's thread is blocked", HOLDS, NULL};

void scene_cascade(void)
{
    const struct way *next = &ways[0], *all = &ways[1];
    story_say("For an answer of A, four services have to work for %d ms each: A, B, C and",
              WORK_MS);
    story_say("D. %d users ask at the same time. How long does one of them wait, and how",
              USERS);
    story_say("many threads of all services do nothing but wait for another service?");
    start_services();
    story_head("|an answer|threads waiting");
    for (int i = 0; i < TRIES && !as_documented(); i++) // again if this machine was busy
        for (size_t way = 0; way < sizeof ways / sizeof *ways; way++)
            try_way(&ways[way]);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        story_row("%s|%.1f ms|%d", ways[i].name, ways[i].ms, ways[i].waiting);
    }
    for (int i = 0; i < USERS * CALLED; i++) {
        end_service(i, &chain[i / CALLED][i % CALLED]);
        end_service(USERS * CALLED + i, &direct[i / CALLED][i % CALLED]);
    }
    claim_report(
        &adds_up, holds_if(as_documented()),
        "%.0f ms and %d threads that wait; %.0f ms and %d when A asks all at once; one "
        "thread waits for all %d users when A is a loop",
        next->ms, next->waiting, all->ms, all->waiting, USERS);
}
