// distance.c: scene direct: the direct path against the one over a server that is far away, or
// near.
#include "datagram.h"
#include "cast.h"
#include "claim.h"
#include "lend.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#include <stdlib.h>

#define TRIPS 5
#define WAYS  3

static const struct claim latency = {"1.24", "guide §4.5",
                                     "peer to peer has the lowest latency", HOLDS, NULL};

static struct couple couples[WAYS];

static struct sockaddr_storage server_on(const char *node, const char *port_variable)
{
    struct sockaddr_storage address = {0};
    const char *port = getenv(port_variable);
    if (port)
        address_read(lend_address(node), (uint16_t)atoi(port), &address);
    return address;
}

void scene_direct(void)
{
    static const char *const names[WAYS] = {"direct", "over a near server",
                                            "over a far server"};
    struct couple *const all[WAYS] = {&couples[0], &couples[1], &couples[2]};
    double trip[WAYS];
    if (!packet_log()->tunnel) {
        claim_skip(&latency);
        return;
    }
    struct sockaddr_storage near = server_on("near", "NEAR_PORT");
    struct sockaddr_storage far = server_on("far", "FAR_PORT");
    story_say(
        "Alice and Bob are 20 ms from the middle of the network and back, a server is 4 ms "
        "from it, another one 60 ms. Three couples: the second and the third are told to "
        "use nothing but the relay.");
    for (int i = 0; i < WAYS; i++) {
        couples[i] = (struct couple){0};
        couples[i].agents[0].set = (struct ice_settings){
            .retry = 200, .settle = 1, .relay = i > 0, .only_relay = i > 0};
        const struct sockaddr_storage *server = &near;
        if (i == 2)
            server = &far;
        couple_begin(&couples[i], "alice", "bob", server);
    }
    couples_meet(all, WAYS);
    story_say("");
    for (int i = 0; i < WAYS; i++) {
        if (!couple_met(&couples[i])) {
            claim_report(&latency, UNCLEAR, "%s: there is no path", names[i]);
            return;
        }
        trip[i] = couple_round_trip(&couples[i], TRIPS);
    }
    for (int i = 0; i < WAYS; i++) {
        story_bar(names[i], trip[i], trip[WAYS - 1], "%.1f ms", trip[i]);
        couple_end(&couples[i]);
    }
    story_say("");
    story_say("A round trip over a relay: Alice's link, the server's link twice, Bob's link. A "
              "detour is as long as the way to the server; peer to peer only leaves it out.");
    claim_report(
        &latency, holds_if(trip[0] < trip[1] && trip[2] > 2 * trip[0]),
        "directly %.1f ms; over a server on the way %.1f ms, over one that is far away "
        "%.1f ms",
        trip[0], trip[1], trip[2]);
}
