// quickack.c: scene quickack: the receiver's half of the problem, the delayed ACK.
#include "packet_log.h"
#include "claim.h"
#include "protocol.h"
#include "scenes.h"
#include "story.h"

#define REQUESTS 7 // of each kind

static const struct claim one_round_trip = {
    "9.8", "guide §10.1", "after sending data a small write waits at least one RTT", HOLDS,
    NULL};

// Judges the time that a request takes with both causes of the stall, without the delayed ACK
// ("quick"), and without Nagle ("none").
static void judge(double both_ms, double quick_ms, double none_ms)
{
    double rtt_ms = packet_log()->rtt_ms, more_ms = quick_ms - none_ms;
    if (!packet_log()->tunnel || rtt_ms == 0) {
        claim_skip(&one_round_trip);
        return;
    }
    if (packet_log()->loss > 0) {
        claim_report(&one_round_trip, SKIPPED,
                     "on this link lost packets cost more than Nagle");
        return;
    }
    // Nagle alone costs one round trip: the time is nearer to that than to the cost of both.
    // (A busy machine adds to each of them, so each is compared with the round trip.)
    bool nearer = more_ms <= (both_ms - none_ms + rtt_ms) / 2;
    bool two_trips = quick_ms >= 1.9 * rtt_ms, one_trip = none_ms <= 1.5 * rtt_ms;
    claim_report(&one_round_trip, holds_if(nearer && two_trips && one_trip),
                 "%.1f ms with an ACK at once, %.1f ms without Nagle: %.1f more, at RTT %g ms",
                 quick_ms, none_ms, more_ms, rtt_ms);
}

void scene_quickack(void)
{
    story_say("The stall has two causes: the client's Nagle, and the server's delayed ACK. "
              "Without one of them:");
    double both_ms = run_series(NAGLE, REQUESTS, 0).median_ms;
    // The shortest times: only the distance makes these requests wait, and a busy machine adds.
    double quick_ms = run_series(NAGLE, REQUESTS, QUICKACK).shortest_ms;
    double none_ms = run_series(NODELAY, REQUESTS, 0).shortest_ms;
    story_say("");
    story_bar("Nagle, delayed ACK", both_ms, both_ms, "%.1f ms", both_ms);
    story_bar("Nagle, TCP_QUICKACK", quick_ms, both_ms, "%.1f ms", quick_ms);
    story_bar("TCP_NODELAY", none_ms, both_ms, "%.1f ms", none_ms);
    judge(both_ms, quick_ms, none_ms);
}
