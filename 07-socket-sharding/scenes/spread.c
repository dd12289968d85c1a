// spread.c: scene spread: how evenly connections are spread over the workers.
#include <stdio.h>

#include "claim.h"
#include "scenes.h"
#include "story.h"

#define WORKERS 4
// With four workers, 25 % would be equal. The scene calls shares between these two even.
#define LEAST_SHARE 20.0
#define MOST_SHARE  30.0

static const struct claim even_claim = {
    "7.2", "guide §8.2", "the kernel spreads connections evenly over the shards", HOLDS, NULL};

static const struct claim one_process = {
    "7.34", "guide §6, §8.3",
    "one listening socket for several threads does not scale across processes", NOT_HERE,
    "fork() inherits it (fork(2)): these workers are processes. So do Apache and nginx."};

// The workers that have answered, and how many different processes they are.
static int answering_processes(const struct seen *seen)
{
    int count = 0;
    for (int i = 0; i < WORKERS; i++) {
        bool other = seen[i].answered > 0;
        for (int j = 0; j < i; j++)
            other = other && seen[i].pid != seen[j].pid;
        count += other;
    }
    return count;
}

// Makes all connections, one after the other, to a server with these options. Draws each
// worker's share. Sets *least and *most to the smallest and the largest share, in percent.
// Returns how many connections were not answered.
static int spread(const char *title, const char *options, double *least, double *most,
                  struct seen seen[WORKERS_MAX])
{
    struct peer peer = peer_begin(options);
    int unanswered = 0;
    for (int i = 0; i < spread_connections; i++)
        unanswered += ask(&peer).worker == 0;
    read_stats(&peer, seen);
    peer_end(&peer);
    *least = 100;
    *most = 0;
    story_say("");
    story_say("%s", title);
    story_say("(%s)", options);
    for (int i = 0; i < WORKERS; i++) {
        char label[40];
        double share = 100.0 * (double)seen[i].answered / spread_connections;
        snprintf(label, sizeof label, "  worker %d", i + 1);
        story_bar(label, share, 100, "%.1f %%", share);
        if (share < *least)
            *least = share;
        if (share > *most)
            *most = share;
    }
    return unanswered;
}

void scene_spread(void)
{
    double least, most, unused[2];
    struct seen seen[WORKERS_MAX], shared[WORKERS_MAX];
    story_say("%d connections, one after the other, each way:", spread_connections);
    int lost = spread("a queue for each", "--workers 4 --mode sharded --wait epoll", &least,
                      &most, seen);
    spread("a queue for all, and all sleep in accept()",
           "--workers 4 --mode shared --wait accept", &unused[0], &unused[1], shared);
    spread("a queue for all, watched with epoll", "--workers 4 --mode shared --wait epoll",
           &unused[0], &unused[1], seen);
    spread("a queue for all, watched with EPOLLEXCLUSIVE",
           "--workers 4 --mode shared --wait epoll-exclusive", &unused[0], &unused[1], seen);
    bool even = least > LEAST_SHARE && most < MOST_SHARE;
    claim_report(
        &even_claim, holds_if(lost == 0 && even),
        "the smallest share is %.1f %%, the largest %.1f %%: of connections, not of work",
        least, most);
    int processes = answering_processes(shared);
    enum verdict verdict = UNCLEAR;
    if (processes == WORKERS)
        verdict = NOT_HERE;
    else if (processes == 1)
        verdict = HOLDS;
    claim_report(&one_process, verdict,
                 "with --mode shared %d processes answer connections of one socket", processes);
}
