// order.c: scene order: which of the sleeping workers gets the connection.
#include <stdio.h>

#include "claim.h"
#include "scenes.h"
#include "story.h"

#define TURNS     80 // connections
#define SHOWN     32 // of these, one by one
#define MOSTLY    80 // percent
#define FAVOURITE 60 // percent of the connections: what we call lopsided; fair are 25

static const struct claim turns_claim = {
    "7.3", "guide §10.3", "who waits in accept() is served in order; one is woken", HOLDS,
    NULL};

static const struct claim epoll_claim = {
    "7.12", "guide §10.3", "processes that share a socket get connections in order", NOT_HERE,
    "Only in accept() one goes to the end of the queue when one comes back. An epoll set keeps "
    "its place, and the search begins at the same end each time (epoll_ctl(2), "
    "EPOLLEXCLUSIVE)."};

// Draws which worker got each connection. Returns how many connections the first worker got, if
// it got the most; *turns becomes the number of connections that went to the worker whose turn
// it was.
static int show_order(const char *title, const int who[TURNS], int *turns)
{
    char line[3 * SHOWN + 1] = "";
    int of[WORKERS_MAX + 1] = {0}, most = 0;
    size_t length = 0;
    *turns = 0;
    for (int i = 0; i < TURNS; i++) {
        of[who[i]]++;
        *turns += i >= herd_workers && who[i] && who[i] == who[i - herd_workers];
        if (i < SHOWN)
            length += (size_t)snprintf(line + length, sizeof line - length, " %d", who[i]);
    }
    story_say("");
    story_say("%s\n\n  the first %d:%s", title, SHOWN, line);
    for (int i = 1; i <= herd_workers; i++) {
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
              TURNS, herd_workers);
    struct seen sum = connect_when_asleep("--mode shared --wait accept", TURNS, who);
    show_order("They sleep in accept():", who, &turns);
    connect_when_asleep("--mode shared --wait epoll", TURNS, who);
    show_order("In epoll_wait(); all are woken, and the fastest has it:", who, &unused);
    connect_when_asleep("--mode shared --wait epoll-exclusive", TURNS, who);
    int most = show_order("In epoll_wait(), with EPOLLEXCLUSIVE; one is woken:", who, &unused);
    claim_report(&turns_claim,
                 turns * 100 >= (TURNS - herd_workers) * MOSTLY && sum.vain == 0 &&
                         sum.wakeups == TURNS
                     ? HOLDS
                     : UNCLEAR,
                 "%d of %d came to who had waited longest; %ld wake-ups, %ld in vain", turns,
                 TURNS - herd_workers, sum.wakeups, sum.vain);
    claim_report(&epoll_claim, most * 100 >= TURNS * FAVOURITE ? NOT_HERE : UNCLEAR,
                 "with EPOLLEXCLUSIVE one worker gets %d of %d, where its turn would be %d",
                 most, TURNS, TURNS / herd_workers);
}
