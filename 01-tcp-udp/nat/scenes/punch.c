// punch.c: two peers, each behind a NAT of one of four kinds. Is there a direct path?
#include <stdio.h>
#include <string.h>

#include "cast.h"
#include "claim.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define KINDS     4
#define SYMMETRIC 3
#define GIVE_UP   1200 // ms
#define EXPECTED  3    // couples without a direct path
#define TRIES     4    // on a busy machine a couple may need more time

static const struct claim symmetric = {"1.19", "guide §4.5",
                                       "symmetric NAT: another public port for each "
                                       "destination, so peers can hardly predict how to "
                                       "reach you",
                                       HOLDS, NULL};
static const struct claim reflexive = {
    "1.20", "guide §4.5", "server-reflexive candidates work for most NAT types", HOLDS, NULL};

static const char *const left[KINDS] = {"fa", "ra", "pa", "sa"};
static const char *const right[KINDS] = {"fb", "rb", "pb", "sb"};
static const char *const kind[KINDS] = {"full cone", "restricted", "port restricted",
                                        "symmetric"};
static struct couple couples[KINDS * KINDS];

static struct couple *couple_of(int i, int k)
{
    return &couples[i * KINDS + k];
}

// Lets the couples meet that are listed; with a relay or without one.
static void meet(struct couple *const list[], int count, bool relay, int patience)
{
    for (int i = 0; i < count; i++) {
        int number = (int)(list[i] - couples);
        *list[i] = (struct couple){0};
        list[i]->agents[0].set = (struct ice_settings){
            .retry = 100, .tries = 5, .patience = patience, .settle = 1, .relay = relay};
        couple_begin(list[i], left[number / KINDS], right[number % KINDS], cast_server());
    }
    couples_meet(list, count);
    for (int i = 0; i < count; i++)
        couple_end(list[i]);
}

// Puts the couples that have not met into `list`. Returns how many.
static int list_unmet(struct couple *list[])
{
    int count = 0;
    for (int i = 0; i < KINDS * KINDS; i++)
        if (!couple_met(&couples[i]))
            list[count++] = &couples[i];
    return count;
}

// Where the other agent is reached: "srflx" is the address that the server has told, "prflx"
// one that only the checks have shown.
static const char *cell_of(const struct couple *couple)
{
    if (!couple_met(couple))
        return "-";
    const struct ice_agent *agent = &couple->agents[0];
    const struct ice_pair *path = ice_path(agent);
    if (agent->mine.candidates[path->local].type == RELAYED)
        return "relay";
    return candidate_type_name(agent->theirs.candidates[path->remote].type);
}

static void show(void)
{
    story_head("offers, behind / answers|full cone|restricted|port restr.|symmetric");
    for (int i = 0; i < KINDS; i++)
        story_row("%s|%s|%s|%s|%s", kind[i], cell_of(couple_of(i, 0)), cell_of(couple_of(i, 1)),
                  cell_of(couple_of(i, 2)), cell_of(couple_of(i, 3)));
}

// A path between the two NATs, which nobody else has a part in.
static bool is_direct(const struct couple *couple)
{
    const char *cell = cell_of(couple);
    return !strcmp(cell, "srflx") || !strcmp(cell, "prflx");
}

void scene_punch(void)
{
    struct couple *rest[KINDS * KINDS];
    int direct = 0, with_symmetric = 0, predicted = 0, relayed = 0;
    if (!packet_log()->tunnel) {
        claim_skip(&symmetric);
        claim_skip(&reflexive);
        return;
    }
    story_say("16 couples, one for each pair of kinds. The server tells each peer its mapped "
              "address; then both send to each other at once: the first datagram that leaves "
              "makes the own NAT expect an answer. How is the other one reached?");
    int rest_count = list_unmet(rest); // all of them
    for (int try = 0; try < TRIES && rest_count > EXPECTED; try++) {
        meet(rest, rest_count, false, GIVE_UP << try);
        rest_count = list_unmet(rest);
    }
    show();
    for (int i = 0; i < KINDS; i++)
        for (int k = 0; k < KINDS; k++) {
            struct couple *couple = couple_of(i, k);
            bool is_symmetric = i == SYMMETRIC || k == SYMMETRIC;
            direct += is_direct(couple);
            with_symmetric += is_symmetric && is_direct(couple);
            predicted += k == SYMMETRIC && !strcmp(cell_of(couple), "srflx");
        }
    story_say("");
    story_say(
        "srflx: at the address that the server has seen. prflx: at another one, which came "
        "to light when its datagram got in. The others once more, with a relay:");
    meet(rest, rest_count, true, PATIENCE_MS);
    for (int i = 0; i < rest_count; i++)
        relayed += !strcmp(cell_of(rest[i]), "relay");
    show();
    claim_report(&symmetric, holds_if(with_symmetric == 4 && predicted == 0),
                 "behind a symmetric NAT nobody was reached at the address that the server had "
                 "told. %d of 7 couples with such a NAT met all the same: the other NAT was a "
                 "full or a restricted cone, and let the unknown port in",
                 with_symmetric);
    claim_report(&reflexive, holds_if(direct == 13 && relayed == 3),
                 "%d of 16 couples have a direct path; the other %d need the relay: symmetric "
                 "with symmetric or port restricted",
                 direct, relayed);
}
