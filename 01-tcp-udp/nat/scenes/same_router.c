// same_router.c: both peers are behind the same NAT. The address that the world sees is of no
// use there; the one that the world does not see is.
#include <string.h>

#include "cast.h"
#include "claim.h"
#include "ice_parts.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define PACKETS 256

static const struct claim host = {
    "1.25", "guide §4.5", "host candidates work if both devices are on the same network", HOLDS,
    NULL};

static struct couple couple;

// Packets since `mark` that the NAT did not let through to itself from inside.
static int count_hairpins(uint32_t mark)
{
    struct packet packets[PACKETS];
    uint32_t count = packet_log_read(mark, packets, PACKETS);
    int hairpins = 0;
    for (uint32_t i = 0; i < count; i++)
        hairpins += packets[i].fate == NO_HAIRPIN;
    return hairpins;
}

static bool is_type(enum candidate_type local, enum candidate_type remote)
{
    if (!couple_met(&couple))
        return false;
    const struct ice_agent *agent = &couple.agents[0];
    const struct ice_pair *path = ice_path(agent);
    return agent->mine.candidates[path->local].type == local &&
           agent->theirs.candidates[path->remote].type == remote;
}

// An agent that has a path checks no further pairs. Here those with mapped addresses are
// checked all the same: do they work?
static void check_mapped(struct ice_agent *agent)
{
    for (int i = 0; i < agent->pair_count; i++) {
        struct ice_pair *pair = &agent->pairs[i];
        if (pair->state == PAIR_WAITING &&
            agent->theirs.candidates[pair->remote].type == SERVER_REFLEXIVE)
            check_send(agent, pair, now_ns());
    }
}

void scene_same_router(void)
{
    struct couple *const one[] = {&couple};
    char text[PAIR_TEXT];
    if (!packet_log()->tunnel) {
        claim_skip(&host);
        return;
    }
    couple = (struct couple){0};
    couple.agents[0].set = (struct ice_settings){.retry = 100, .patience = 3000, .settle = 200};
    couple_begin(&couple, "alice", "carol", cast_server());
    uint32_t mark = packet_log_mark();
    couples_meet(one, 1);
    const struct ice_agent *alice = &couple.agents[0];
    story_say("Alice knows, of Carol and of herself:");
    for (int i = 0; i < alice->theirs.count; i++) {
        char line[CANDIDATE_LINE];
        story_say("carol: %s", candidate_write(&alice->theirs.candidates[i], line));
    }
    for (int i = 0; i < alice->mine.count; i++) {
        char line[CANDIDATE_LINE];
        story_say("alice: %s", candidate_write(&alice->mine.candidates[i], line));
    }
    bool direct = is_type(HOST, HOST);
    if (couple_met(&couple))
        story_say("The path: %s", ice_pair_text(alice, ice_path(alice), text));
    check_mapped(&couple.agents[0]);
    int hairpins = 0, reflexive = 0;
    for (int i = 0; i < 100 && !hairpins; i++) {
        couples_run(one, 1, 150);
        hairpins = count_hairpins(mark);
    }
    for (int i = 0; i < alice->pair_count; i++)
        reflexive +=
            alice->theirs.candidates[alice->pairs[i].remote].type == SERVER_REFLEXIVE &&
            alice->pairs[i].state == PAIR_SUCCEEDED;
    couple_end(&couple);
    claim_report(&host, holds_if(direct && reflexive == 0 && hairpins > 0),
                 "host to host, inside the house. At the mapped addresses: %d datagrams that "
                 "this NAT does not send back in (no hairpinning, RFC 4787 §6), %d pairs that "
                 "work",
                 hairpins, reflexive);
}
