// order.c: scene order: which of the sleeping workers gets the connection.
#include <stdio.h>

#include "claim.h"
#include "scenes.h"
#include "story.h"

#define TURNS     80  // connections
#define SHOWN     32  // of these the scene shows one by one
#define MOSTLY    80  // percent of the connections that have to come in turn
#define ALL_WOKEN 2.5 // times that workers wake up for a connection, if more than one is woken

static const struct claim turns_claim = {
    "7.3", "guide §10.3", "waiting accepts are served in order; one is woken", HOLDS, NULL};

// Shows which worker got each connection. Returns how many the worker with the most of them
// got. Sets *turns to the number of connections that went to the worker that had waited
// longest.
static int show_order(const char *title, const int got_by[TURNS], int *turns)
{
    char line[3 * SHOWN + 1] = "";
    int of[WORKERS_MAX + 1] = {0}, most = 0;
    size_t length = 0;
    *turns = 0;
    for (int i = 0; i < TURNS; i++) {
        of[got_by[i]]++;
        *turns += i >= herd_workers && got_by[i] && got_by[i] == got_by[i - herd_workers];
        if (i < SHOWN)
            length += (size_t)snprintf(line + length, sizeof line - length, " %d", got_by[i]);
    }
    story_say("");
    story_say("%s", title);
    story_say("");
    story_say("The first %d connections:", SHOWN);
    story_say("%s", line);
    for (int i = 1; i <= herd_workers; i++) {
        char label[20];
        snprintf(label, sizeof label, "worker %d", i);
        story_bar(label, of[i], TURNS, "%d", of[i]);
        if (of[i] > most)
            most = of[i];
    }
    return most;
}

void scene_order(void)
{
    int got_by[TURNS], turns, unused;
    story_say("%d connections to one listening socket; each comes when all %d workers sleep.",
              TURNS, herd_workers);
    struct seen sum = connect_when_asleep("--mode shared --wait accept", TURNS, got_by);
    show_order("The workers sleep in accept():", got_by, &turns);
    connect_when_asleep("--mode shared --wait epoll", TURNS, got_by);
    show_order("In epoll_wait(); all are woken, and the fastest gets it:", got_by, &unused);
    connect_when_asleep("--mode shared --wait epoll-exclusive", TURNS, got_by);
    int most =
        show_order("In epoll_wait(), with EPOLLEXCLUSIVE; one is woken:", got_by, &unused);
    story_say("");
    story_say(
        "Here one worker gets %d of %d: a worker that comes back goes to the end of the "
        "queue in accept() only. An epoll set keeps its place in the queue, and the kernel "
        "begins at the same end each time (epoll_ctl(2), EPOLLEXCLUSIVE).",
        most, TURNS);
    bool in_turn = turns * 100 >= (TURNS - herd_workers) * MOSTLY;
    // Once for the connection, and perhaps once more for its request.
    double woken = (double)sum.switches / TURNS;
    claim_report(&turns_claim, holds_if(in_turn && sum.vain == 0 && woken < ALL_WOKEN),
                 "%d of %d came to the worker that had waited longest; by the kernel's count "
                 "workers woke up %.2f times for each connection and its request",
                 turns, TURNS - herd_workers, woken);
}
