// herd.c: who is woken for a connection, and how many are, if all sleep when it comes.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define TURNS     80  // connections of scene order
#define SHOWN     32  // of these, one by one
#define HERD      200 // connections of scene herd, each way
#define MOSTLY    80  // percent
#define FAVOURITE 60  // percent of the connections: what we call lopsided; fair are 25

static int workers;

void workers_of(int count)
{
    workers = count;
}

// Connections from one client, each when all workers sleep; in `who` the worker of each, in
// `sum` what the workers have done since the first.
static struct seen knock(const char *options, int count, int *who)
{
    struct seen seen[WORKERS_MAX];
    char all[100];
    snprintf(all, sizeof all, "--workers %d %s", workers, options);
    struct peer peer = peer_begin(all);
    read_figures(&peer, seen);
    await_sleep(seen, workers);
    struct seen before = sum_figures(&peer);
    for (int i = 0; i < count; i++) {
        int worker = ask(&peer).worker;
        if (who)
            who[i] = worker;
        await_sleep(seen, workers);
    }
    struct seen sum = sum_figures(&peer);
    peer_end(&peer);
    sum.switches -= before.switches;
    return sum;
}

// ---- order ---------------------------------------------------------------------------------

static const struct claim turns_claim = {
    "7.3", "guide §10.3", "who waits in accept() is served in order; one is woken", HOLDS,
    NULL};

static const struct claim epoll_claim = {
    "7.12", "guide §10.3", "processes that share a socket get connections in order", NOT_HERE,
    "Only in accept() one goes to the end of the queue when one comes back. An epoll set keeps "
    "its place, and the search begins at the same end each time (epoll_ctl(2), "
    "EPOLLEXCLUSIVE)."};

// Draws who got the connections. Returns how many had the greatest share; in *turns, how many
// came to the one who had been one round of turns before.
static int show_order(const char *title, const int who[TURNS], int *turns)
{
    char line[3 * SHOWN + 1] = "";
    int of[WORKERS_MAX + 1] = {0}, most = 0;
    size_t length = 0;
    *turns = 0;
    for (int i = 0; i < TURNS; i++) {
        of[who[i]]++;
        *turns += i >= workers && who[i] && who[i] == who[i - workers];
        if (i < SHOWN)
            length += (size_t)snprintf(line + length, sizeof line - length, " %d", who[i]);
    }
    story_say("");
    story_say("%s\n\n  the first %d:%s", title, SHOWN, line);
    for (int i = 1; i <= workers; i++) {
        char label[20];
        snprintf(label, sizeof label, "worker %d", i);
        story_bar(label, of[i], TURNS, "%d", of[i]);
        most = of[i] > most ? of[i] : most;
    }
    return most;
}

void scene_order(void)
{
    int who[TURNS], turns, unused;
    story_say("%d connections to one listening socket; all %d workers sleep when one comes.",
              TURNS, workers);
    struct seen sum = knock("--mode shared --wait accept", TURNS, who);
    show_order("They sleep in accept():", who, &turns);
    knock("--mode shared --wait epoll", TURNS, who);
    show_order("In epoll_wait(); all are woken, and the fastest has it:", who, &unused);
    knock("--mode shared --wait epoll-exclusive", TURNS, who);
    int most = show_order("In epoll_wait(), with EPOLLEXCLUSIVE; one is woken:", who, &unused);
    claim_report(&turns_claim,
                 turns * 100 >= (TURNS - workers) * MOSTLY && sum.vain == 0 &&
                         sum.wakeups == TURNS
                     ? HOLDS
                     : UNCLEAR,
                 "%d of %d came to who had waited longest; %ld wake-ups, %ld in vain", turns,
                 TURNS - workers, sum.wakeups, sum.vain);
    claim_report(&epoll_claim, most * 100 >= TURNS * FAVOURITE ? NOT_HERE : UNCLEAR,
                 "with EPOLLEXCLUSIVE one worker gets %d of %d, where its turn would be %d",
                 most, TURNS, TURNS / workers);
}

// ---- herd ----------------------------------------------------------------------------------

static const struct claim herd_claim = {
    "7.4", "guide §8.3", "modern kernels wake only one thread for a connection", NOT_HERE,
    "In accept() they do. Who watches a shared socket with epoll is woken each time, unless it "
    "was added with EPOLLEXCLUSIVE (Linux 4.5, epoll_ctl(2))."};

void scene_herd(void)
{
    static const struct {
        const char *title, *options;
    } ways[] = {
        {"shared, accept()", "--mode shared --wait accept"},
        {"shared, epoll", "--mode shared --wait epoll"},
        {"shared, EPOLLEXCLUSIVE", "--mode shared --wait epoll-exclusive"},
        {"sharded, accept()", "--mode sharded --wait accept"},
        {"sharded, epoll", "--mode sharded --wait epoll"},
    };
    enum { SHARED_EPOLL = 1, WAYS = sizeof ways / sizeof *ways };
    double sleeps[WAYS], worst_other = 0;
    story_say(
        "%d connections, each when all %d workers sleep. How often did anyone wake up and go "
        "back to\n  sleep, by the kernel's count? For one connection:\n",
        HERD, workers);
    for (int i = 0; i < WAYS; i++) {
        struct seen sum = knock(ways[i].options, HERD, NULL);
        sleeps[i] = (double)sum.switches / HERD;
        if (i != SHARED_EPOLL && sleeps[i] > worst_other)
            worst_other = sleeps[i];
        story_bar(ways[i].title, sleeps[i], workers + 2, "%.2f", sleeps[i]);
    }
    story_say("");
    story_say(
        "One of them is for the connection; another one often for the request, which comes "
        "a moment later.");
    claim_report(
        &herd_claim,
        sleeps[SHARED_EPOLL] >= 0.85 * workers && worst_other * 1.5 < sleeps[SHARED_EPOLL]
            ? NOT_HERE
        : sleeps[SHARED_EPOLL] < 2.5 ? HOLDS
                                     : UNCLEAR,
        "a shared socket in epoll: %.2f for each connection with %d workers; all other "
        "ways at most %.2f",
        sleeps[SHARED_EPOLL], workers, worst_other);
}
