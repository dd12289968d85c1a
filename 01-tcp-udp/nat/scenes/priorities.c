// priorities.c: scene ice: the candidates of two peers, the order of the checks, and the path.
#include <stdio.h>
#include <string.h>

#include "cast.h"
#include "claim.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"
#include "timeline.h"

static const struct claim preference = {
    "1.22", "guide §4.5", "ICE tries the candidates in order of preference", HOLDS, NULL};

static struct couple couple;
static bool in_timeline;

static void draw(struct ice_agent *agent, const char *text)
{
    char line[300];
    snprintf(line, sizeof line, "%s", text);
    if (!in_timeline || !strncmp(text, "candidate", 9))
        return;
    if (agent == &couple.agents[0])
        timeline_line(TIMELINE_CLIENT, line);
    else
        timeline_line(TIMELINE_SERVER, line);
}

static void show_candidates(const struct ice_agent *agent)
{
    char name[NET_NAME];
    for (int i = 0; i < agent->mine.count; i++) {
        const struct candidate *one = &agent->mine.candidates[i];
        story_say("%-6s %-6s %-20s priority %10u", agent->name, candidate_type_name(one->type),
                  net_name(&one->address, name), one->priority);
    }
}

// The pairs in the order of their first checks.
static const struct ice_pair *pair_in_order(const struct ice_agent *agent, int order)
{
    for (int i = 0; i < agent->pair_count; i++)
        if (agent->pairs[i].order == order)
            return &agent->pairs[i];
    return NULL;
}

static const char *end_of(const struct ice_agent *agent, const struct ice_pair *pair)
{
    if (pair == ice_path(agent))
        return "the path";
    if (pair->state == PAIR_SUCCEEDED)
        return "works";
    return "-";
}

// Prints the agent's checks. Returns how many of them came behind one of lower priority without
// an answer to the other agent as their reason.
static int show_order(const struct ice_agent *agent)
{
    int against = 0;
    uint64_t last = UINT64_MAX;
    for (int order = 1; order <= agent->order_count; order++) {
        const struct ice_pair *pair = pair_in_order(agent, order);
        if (!pair)
            continue;
        const struct candidate *local = &agent->mine.candidates[pair->local];
        const struct candidate *remote = &agent->theirs.candidates[pair->remote];
        story_say("%-6s %d  %-5s -> %-6s priority %19llu  %-9s  %s", agent->name, order,
                  candidate_type_name(local->type), candidate_type_name(remote->type),
                  (unsigned long long)pair->priority, pair->was_triggered ? "triggered" : "",
                  end_of(agent, pair));
        if (pair->was_triggered)
            continue;
        against += pair->priority > last;
        last = pair->priority;
    }
    return against;
}

// Whether no pair of higher priority than the path works.
static bool is_best(const struct ice_agent *agent)
{
    const struct ice_pair *path = ice_path(agent);
    for (int i = 0; path && i < agent->pair_count; i++)
        if (agent->pairs[i].state == PAIR_SUCCEEDED &&
            agent->pairs[i].priority > path->priority)
            return false;
    return path != NULL;
}

void scene_ice(void)
{
    struct couple *const one[] = {&couple};
    bool tunnel = packet_log()->tunnel;
    couple = (struct couple){0};
    couple.agents[0].told = couple.agents[1].told = draw;
    couple.agents[0].set =
        (struct ice_settings){.retry = 200, .patience = 5000, .settle = 400, .relay = true};
    story_say(
        "Alice offers, Bob answers. What crosses the line is a Binding request, its answer, "
        "or what a NAT does not let in. A relayed address is there as well, in case of "
        "need.");
    if (tunnel)
        packet_log_pair("home", "office");
    story_timeline();
    in_timeline = true;
    couple_begin(&couple, "alice", "bob", cast_server());
    couples_meet(one, 1);
    in_timeline = false;
    story_quiet(true);
    story_say("The candidates:");
    show_candidates(&couple.agents[0]);
    show_candidates(&couple.agents[1]);
    story_say("The checks of each, in their order:");
    int against = show_order(&couple.agents[0]) + show_order(&couple.agents[1]);
    int checks = couple.agents[0].order_count + couple.agents[1].order_count;
    bool best = is_best(&couple.agents[0]) && is_best(&couple.agents[1]);
    couple_end(&couple);
    claim_report(&preference,
                 holds_if(against == 0 && checks >= 2 && best && couple_met(&couple)),
                 "%d pairs were checked, %d of them against the order of the pairs' priorities "
                 "(RFC 8445 §6.1.2.3); a check that came in was answered by one in the other "
                 "direction at once. The path is the best pair that works",
                 checks, against);
}
