// herd.c: scene herd: how many workers wake up for one connection.
#include "claim.h"
#include "scenes.h"
#include "story.h"

#define HERD 200 // connections for each way to wait

static const struct claim herd_claim = {
    "7.4", "guide §8.3", "modern kernels wake only one thread for a connection", NOT_HERE,
    "In accept() they do. A thread that watches a shared socket with epoll is woken for each "
    "connection, unless it added the socket with EPOLLEXCLUSIVE (Linux 4.5, epoll_ctl(2))."};

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
        "%d connections; each comes when all %d workers sleep. How often did a worker wake up "
        "and go back to sleep for one connection, by the kernel's count?\n",
        HERD, herd_workers);
    for (int i = 0; i < WAYS; i++) {
        struct seen sum = connect_when_asleep(ways[i].options, HERD, NULL);
        sleeps[i] = (double)sum.switches / HERD;
        if (i != SHARED_EPOLL && sleeps[i] > worst_other)
            worst_other = sleeps[i];
        story_bar(ways[i].title, sleeps[i], herd_workers + 2, "%.2f", sleeps[i]);
    }
    story_say("");
    story_say("Once for the connection; often once more for the request, which comes a moment "
              "later.");
    enum verdict verdict = UNCLEAR;
    if (sleeps[SHARED_EPOLL] >= 0.85 * herd_workers && worst_other * 1.5 < sleeps[SHARED_EPOLL])
        verdict = NOT_HERE;
    else if (sleeps[SHARED_EPOLL] < 2.5)
        verdict = HOLDS;
    claim_report(
        &herd_claim, verdict,
        "a shared socket in epoll: %.2f for each connection with %d workers; all other "
        "ways at most %.2f",
        sleeps[SHARED_EPOLL], herd_workers, worst_other);
}
