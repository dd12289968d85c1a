// herd.c: scene herd: how many workers wake up for one connection.
#include "claim.h"
#include "scenes.h"
#include "story.h"

#define HERD 200 // connections for each way to wait

// The notes speak of threads in accept(). ("Since 3.9", they say, but accept() has woken one
// for far longer: Molloy and Lever, "accept() Scalability on Linux", USENIX 2000. 3.9 brought
// SO_REUSEPORT, socket(7).)
static const struct claim herd_claim = {
    "7.4", "guide §6, §8.3", "the kernel wakes one thread per connection, of those in accept()",
    HOLDS, NULL};

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
    enum { IN_ACCEPT_SHARED = 0, SHARED_EPOLL = 1, WAYS = sizeof ways / sizeof *ways };
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
    story_say("Once for the connection; often once more for the request, which comes a");
    story_say("moment later.");
    story_say("In epoll all are woken, unless they added the socket with EPOLLEXCLUSIVE "
              "(epoll_ctl(2)).");
    bool all_in_epoll = sleeps[SHARED_EPOLL] >= 0.85 * herd_workers;
    bool one_elsewhere = worst_other * 1.5 < sleeps[SHARED_EPOLL];
    claim_report(&herd_claim, holds_if(all_in_epoll && one_elsewhere),
                 "accept(): %.2f times for each connection; where all %d are woken it is %.2f "
                 "(a shared socket in epoll), and in all other ways at most %.2f",
                 sleeps[IN_ACCEPT_SHARED], herd_workers, sleeps[SHARED_EPOLL], worst_other);
}
