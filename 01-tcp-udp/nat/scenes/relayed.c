// relayed.c: scene relay: two peers whose NATs let no direct path through. All goes over the
// server.
#include <string.h>

#include "cast.h"
#include "claim.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define LINES   50
#define BYTES   1000
#define PACKETS 1024
#define TRIPS   5

static const struct claim relay = {
    "1.21", "guide §4.5",
    "a relay works when nothing else does, adds latency, and carries all the data", HOLDS,
    NULL};

static struct couple couples[2];

// Bytes of IP packets that went into or came out of the server's node.
static unsigned long server_bytes(uint32_t mark)
{
    static struct packet packets[PACKETS];
    uint8_t server = packet_log_end("stun");
    unsigned long bytes = 0;
    uint32_t count = packet_log_read(mark, packets, PACKETS);
    for (uint32_t i = 0; i < count; i++)
        if (packets[i].from == server || packets[i].to == server)
            bytes += packets[i].length;
    return bytes;
}

static void begin(struct couple *couple, const char *left, const char *right)
{
    *couple = (struct couple){0};
    couple->agents[0].set =
        (struct ice_settings){.retry = 150, .patience = 4000, .settle = 300, .relay = true};
    couple_begin(couple, left, right, cast_server());
}

void scene_relay(void)
{
    struct couple *const both[] = {&couples[0], &couples[1]};
    static const char *const names[] = {"direct: port restricted, twice",
                                        "relayed: symmetric, twice"};
    double trip[2];
    unsigned long bytes[2];
    int arrived[2];
    char text[PAIR_TEXT];
    if (!packet_log()->tunnel) {
        claim_skip(&relay);
        return;
    }
    story_say("Two couples; each peer is 10 ms from the middle of the network and back, the "
              "server 40 ms. The first couple has a direct path. The second one has not.");
    begin(&couples[0], "pa", "pb");
    begin(&couples[1], "sa", "sb");
    couples_meet(both, 2);
    story_head("path|round trip|lines|through the server");
    for (int i = 0; i < 2; i++) {
        if (!couple_met(&couples[i])) {
            claim_report(&relay, UNCLEAR, "couple %d has no path", i + 1);
            return;
        }
        trip[i] = couple_round_trip(&couples[i], TRIPS);
        uint32_t mark = packet_log_mark();
        arrived[i] = couple_send(&couples[i], LINES, BYTES);
        bytes[i] = server_bytes(mark);
        story_row("%s|%.1f ms|%d of %d|%lu bytes", names[i], trip[i], arrived[i], LINES,
                  bytes[i]);
    }
    const struct ice_agent *agent = &couples[1].agents[0];
    story_say("The relayed path: %s", ice_pair_text(agent, ice_path(agent), text));
    bool is_relayed = agent->mine.candidates[ice_path(agent)->local].type == RELAYED ||
                      agent->theirs.candidates[ice_path(agent)->remote].type == RELAYED;
    for (int i = 0; i < 2; i++)
        couple_end(&couples[i]);
    claim_report(
        &relay,
        holds_if(is_relayed && arrived[1] == LINES && trip[1] > 1.5 * trip[0] &&
                 bytes[1] > 2ul * LINES * BYTES && bytes[0] < LINES * BYTES / 10),
        "%.1f ms over the relay, %.1f ms directly. Of %d lines with %d bytes each, the "
        "server carries %lu bytes: all of them, in and out. Directly: %lu",
        trip[1], trip[0], LINES, BYTES, bytes[1], bytes[0]);
}
