// distance.c: scene distance: two small write()s and a read(), with a server that is far away.
#include <unistd.h>

#include "packet_log.h"
#include "claim.h"
#include "scenes.h"
#include "story.h"

#define WARM_UP  4 // requests before the one that is drawn
#define REQUESTS 7 // of each kind

static const struct claim waits = {"9.1", "guide §10.1",
                                   "small writes wait for an ACK, 40 to 200 ms", HOLDS, NULL};

void scene_distance(void)
{
    struct series series[WAYS];
    int fd = open_connection(host, port);
    for (int i = 0; i < WARM_UP; i++)
        time_request(fd, NAGLE, (uint32_t)body_bytes, 0);
    story_say(
        "One request in two write()s. Look at what happens between the first and the second.");
    story_timeline();
    story_event("write(4), write(%d)", body_bytes);
    double took_ms = time_request(fd, NAGLE, (uint32_t)body_bytes, 0);
    story_event("the answer, after %.1f ms", took_ms);
    story_quiet(true);
    close(fd);
    for (int way = 0; way < WAYS; way++)
        series[way] = run_series(way, REQUESTS, 0);
    show_series(series);
    double with_ms = series[NAGLE].median_ms, without_ms = series[NODELAY].median_ms;
    if (packet_log()->tunnel)
        claim_report(&waits, holds_if(stalls(with_ms, without_ms)),
                     "%.1f ms a request, %.1f ms without Nagle: %.1f more, at RTT %g ms",
                     with_ms, without_ms, with_ms - without_ms, packet_log()->rtt_ms);
    else
        claim_skip(&waits);
}
