// stall.c: scene stall: two small write()s and a read(), on one machine.
#include <string.h>
#include <unistd.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define REQUESTS 20 // of each kind

static const struct claim on_localhost = {"9.6", "guide §10.1",
                                          "Nagle might not cause issues on localhost", NOT_HERE,
                                          "The wait is for a delayed ACK, and that is a timer "
                                          "of 40 ms or more (TCP_DELACK_MIN in the "
                                          "kernel's include/net/tcp.h), not a distance."};
static const struct claim nodelay = {"9.4", "guide §10.1", "TCP_NODELAY removes the delay",
                                     HOLDS, NULL};

// True if the server is on this machine: both ends of a connection have the same address.
static bool is_here(void)
{
    char ours[NET_NAME], its[NET_NAME];
    int fd = open_connection(host, port);
    net_local_name(fd, ours);
    net_peer_name(fd, its);
    close(fd);
    const char *colon = strrchr(its, ':');
    return colon && !strncmp(ours, its, (size_t)(colon + 1 - its));
}

// True if every way but Nagle's is quick, and the last two need one segment for a request.
static bool others_are_quick(const struct series series[WAYS])
{
    for (int way = 0; way < WAYS; way++)
        if (way != NAGLE && !stalls(series[NAGLE].median_ms, series[way].median_ms))
            return false;
    return series[ONE_WRITEV].segments < 1.05 && series[CORK].segments < 1.05;
}

void scene_stall(void)
{
    struct series series[WAYS];
    story_say("Write the header, write the body, read the answer, %d times.", REQUESTS);
    for (int way = 0; way < WAYS; way++)
        series[way] = run_series(way, REQUESTS, 0);
    show_series(series);
    double with_ms = series[NAGLE].median_ms, without_ms = series[NODELAY].median_ms;
    enum verdict verdict = HOLDS;
    if (stalls(with_ms, without_ms))
        verdict = NOT_HERE;
    if (is_here())
        claim_report(&on_localhost, verdict,
                     "%.1f ms a request, %.2f ms without Nagle, and no distance at all",
                     with_ms, without_ms);
    else
        claim_report(&on_localhost, SKIPPED, "this server is not on localhost");
    claim_report(
        &nodelay, holds_if(others_are_quick(series)),
        "%.2f ms a request; %.2f with one writev(), %.2f with TCP_CORK, in %.0f segment",
        without_ms, series[ONE_WRITEV].median_ms, series[CORK].median_ms,
        series[ONE_WRITEV].segments);
}
