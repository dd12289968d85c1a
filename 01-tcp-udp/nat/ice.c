// ice.c: the agent: which pairs there are, which one is checked next, and which one is used.
// See ice.h.
#include "ice.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "datagram.h"
#include "ice_parts.h"
#include "measure.h"
#include "net.h"
#include "secret.h"
#include "smaller.h"

#define SLEEP_NS (3600 * INT64_C(1000000000)) // the longest time until ice_step() is due

void agent_tell(struct ice_agent *agent, const char *format, ...)
{
    char text[300];
    va_list arguments;
    if (!agent->told)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    agent->told(agent, text);
}

char *ice_pair_text(const struct ice_agent *agent, const struct ice_pair *pair,
                    char text[PAIR_TEXT])
{
    char from[NET_NAME], to[NET_NAME];
    const struct candidate *local = &agent->mine.candidates[pair->local];
    const struct candidate *remote = &agent->theirs.candidates[pair->remote];
    snprintf(text, PAIR_TEXT, "%s %s -> %s %s", candidate_type_name(local->type),
             net_name(&local->address, from), candidate_type_name(remote->type),
             net_name(&remote->address, to));
    return text;
}

// ---- the list of pairs ---------------------------------------------------------------------

static uint64_t pair_priority(const struct ice_agent *agent, const struct ice_pair *pair)
{
    uint32_t ours = agent->mine.candidates[pair->local].priority;
    uint32_t theirs = agent->theirs.candidates[pair->remote].priority;
    if (agent->controlling)
        return candidate_pair_priority(ours, theirs);
    return candidate_pair_priority(theirs, ours);
}

struct ice_pair *agent_pair(struct ice_agent *agent, int local, int remote)
{
    for (int i = 0; i < agent->pair_count; i++)
        if (agent->pairs[i].local == local && agent->pairs[i].remote == remote)
            return &agent->pairs[i];
    if (agent->pair_count == ICE_PAIRS_MAX)
        return NULL;
    struct ice_pair *pair = &agent->pairs[agent->pair_count++];
    *pair = (struct ice_pair){.local = local, .remote = remote};
    pair->priority = pair_priority(agent, pair);
    return pair;
}

// Pairs each local address with each of the other agent's. A server-reflexive candidate of our
// own is none of them: what leaves by the host candidate leaves the NAT by the reflexive one.
static void make_pairs(struct ice_agent *agent)
{
    for (int i = 0; i < agent->mine.count; i++) {
        const struct candidate *local = &agent->mine.candidates[i];
        if (local->type == SERVER_REFLEXIVE || (agent->set.only_relay && local->type == HOST))
            continue;
        for (int k = 0; k < agent->theirs.count; k++)
            if (local->address.ss_family == agent->theirs.candidates[k].address.ss_family)
                agent_pair(agent, i, k);
    }
}

void agent_trigger(struct ice_agent *agent, struct ice_pair *pair)
{
    if (pair->state == PAIR_IN_PROGRESS) { // the same check once more: both answers count
        pair->tries = 0;
        pair->due_ns = now_ns();
        return;
    }
    pair->state = PAIR_WAITING;
    pair->triggered = ++agent->trigger_count;
}

void agent_switch_role(struct ice_agent *agent)
{
    agent->controlling = !agent->controlling;
    agent_tell(agent, "role conflict: this agent is %s now",
               agent->controlling ? "controlling" : "controlled");
    for (int i = 0; i < agent->pair_count; i++) {
        agent->pairs[i].priority = pair_priority(agent, &agent->pairs[i]);
        agent->pairs[i].nominating = false;
    }
}

// The pair to check next: a triggered one, else the waiting one with the highest priority.
static struct ice_pair *next_pair(struct ice_agent *agent)
{
    struct ice_pair *best = NULL;
    for (int i = 0; i < agent->pair_count; i++) {
        struct ice_pair *pair = &agent->pairs[i];
        if (pair->state != PAIR_WAITING)
            continue;
        if (agent->state == ICE_CONNECTED && !pair->triggered)
            continue; // a path is there
        if (!best || (pair->triggered && !best->triggered))
            best = pair;
        else if (pair->triggered && pair->triggered < best->triggered)
            best = pair;
        else if (!best->triggered && pair->priority > best->priority)
            best = pair;
    }
    return best;
}

// ---- which pair is used --------------------------------------------------------------------

// The controlling agent nominates the best pair that works; if a better one is still being
// checked, it waits for a while.
static void nominate(struct ice_agent *agent, int64_t now)
{
    struct ice_pair *best = NULL;
    uint64_t open = 0; // the highest priority of those of which nothing is known yet
    for (int i = 0; i < agent->pair_count; i++) {
        struct ice_pair *pair = &agent->pairs[i];
        if (pair->nominating && pair->state != PAIR_FAILED)
            return;
        if (pair->state == PAIR_SUCCEEDED && (!best || pair->priority > best->priority))
            best = pair;
        if ((pair->state == PAIR_WAITING || pair->state == PAIR_IN_PROGRESS) &&
            pair->priority > open)
            open = pair->priority;
    }
    bool settled = now - agent->first_valid_ns >= agent->set.settle * MS_NS;
    if (!best || (open > best->priority && !settled))
        return;
    best->nominating = true;
    agent_trigger(agent, best);
}

void agent_select(struct ice_agent *agent, struct ice_pair *pair)
{
    char text[PAIR_TEXT];
    int index = (int)(pair - agent->pairs);
    if (agent->state == ICE_CONNECTED && agent->selected == index)
        return;
    agent->selected = index;
    agent->state = ICE_CONNECTED;
    agent->heard_ns = now_ns();
    agent->next_consent_ns = agent->heard_ns;
    agent_tell(agent, "the path is %s", ice_pair_text(agent, pair, text));
}

const struct ice_pair *ice_path(const struct ice_agent *agent)
{
    if (agent->state != ICE_CONNECTED)
        return NULL;
    return &agent->pairs[agent->selected];
}

// All pairs are checked once more.
static void check_all_again(struct ice_agent *agent)
{
    for (int i = 0; i < agent->pair_count; i++) {
        struct ice_pair *pair = &agent->pairs[i];
        pair->state = PAIR_WAITING;
        pair->nominating = pair->wanted = false;
        pair->triggered = 0;
    }
    agent->first_valid_ns = 0;
}

static void path_is_dead(struct ice_agent *agent, int64_t now)
{
    agent_tell(agent, "no answer for %d ms: the path is dead; all pairs are checked again",
               agent->set.expiry);
    agent->deaths++;
    agent->state = ICE_CHECKING;
    agent->selected = ICE_NONE;
    agent->started_ns = now;
    check_all_again(agent);
}

// ---- step ----------------------------------------------------------------------------------

static int64_t step_consent(struct ice_agent *agent, int64_t now)
{
    if (now - agent->heard_ns > agent->set.expiry * MS_NS) {
        path_is_dead(agent, now);
        return now;
    }
    if (now >= agent->next_consent_ns) {
        check_consent(agent, &agent->pairs[agent->selected]);
        // RFC 7675 section 5.1: from 0.8 to 1.2 times, so that agents do not ask in step.
        double factor = 0.8 + 0.4 * (double)(random_next(&agent->random) % 1000) / 1000;
        agent->next_consent_ns = now + (int64_t)(agent->set.consent * factor * 1e6);
    }
    return agent->next_consent_ns;
}

// Sends again what has got no answer. Returns when that is due next.
static int64_t step_pairs(struct ice_agent *agent, int64_t now, int64_t next)
{
    bool all_failed = true;
    for (int i = 0; i < agent->pair_count; i++) {
        struct ice_pair *pair = &agent->pairs[i];
        if (pair->state == PAIR_IN_PROGRESS && now >= pair->due_ns) {
            if (pair->tries < agent->set.tries)
                check_send(agent, pair, now);
            else
                pair->state = PAIR_FAILED;
        }
        if (pair->state == PAIR_IN_PROGRESS)
            next = earlier(next, pair->due_ns);
        all_failed = all_failed && pair->state == PAIR_FAILED;
    }
    if (agent->state == ICE_CHECKING && all_failed)
        check_all_again(agent); // the other agent may not have the answer yet: a person has it
    if (now >= agent->next_check_ns) {
        struct ice_pair *pair = next_pair(agent);
        if (pair) {
            check_send(agent, pair, now);
            agent->next_check_ns = now + agent->set.pace * MS_NS;
        }
    }
    if (next_pair(agent) && agent->next_check_ns < next)
        next = agent->next_check_ns;
    return next;
}

int64_t ice_step(struct ice_agent *agent)
{
    int64_t now = now_ns();
    int64_t next = gather_step(agent, now, now + SLEEP_NS);
    if (agent->state == ICE_CONNECTED)
        next = earlier(next, step_consent(agent, now));
    if (agent->state == ICE_CHECKING || agent->state == ICE_CONNECTED)
        next = step_pairs(agent, now, next);
    if (agent->state != ICE_CHECKING)
        return next;
    int64_t end = agent->started_ns + agent->set.patience * MS_NS;
    if (now >= end) {
        agent->state = ICE_FAILED;
        agent_tell(agent, "no pair works: the agent gives up");
        return next;
    }
    if (agent->controlling)
        nominate(agent, now);
    if (next_pair(agent))
        next = earlier(next, agent->next_check_ns);
    int64_t settled = agent->first_valid_ns + agent->set.settle * MS_NS;
    if (agent->first_valid_ns && settled > now)
        next = earlier(next, settled);
    return earlier(next, end);
}

// ---- from the beginning --------------------------------------------------------------------

static void make_word(char *word, size_t length)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    random_bytes(word, length);
    for (size_t i = 0; i < length; i++)
        word[i] = letters[(uint8_t)word[i] % 64];
    word[length] = '\0';
}

static void set_default(int *value, int otherwise)
{
    if (*value == 0)
        *value = otherwise;
}

void ice_begin(struct ice_agent *agent, bool controlling, const int fds[], int count,
               const struct sockaddr_storage *server)
{
    struct ice_agent fresh = {.name = agent->name,
                              .set = agent->set,
                              .told = agent->told,
                              .received = agent->received,
                              .socket_count = count,
                              .controlling = controlling,
                              .selected = ICE_NONE};
    *agent = fresh;
    memcpy(agent->fds, fds, (size_t)count * sizeof *fds);
    if (server) {
        agent->has_server = true;
        agent->server = *server;
    }
    set_default(&agent->set.pace, 50);
    set_default(&agent->set.retry, 500);
    set_default(&agent->set.tries, 7);
    set_default(&agent->set.patience, 30000);
    set_default(&agent->set.settle, 500);
    set_default(&agent->set.consent, 5000);
    set_default(&agent->set.expiry, 30000);
    set_default(&agent->set.keepalive, 15000);
    random_bytes(&agent->tie_breaker, sizeof agent->tie_breaker);
    random_bytes(&agent->random, sizeof agent->random);
    make_word(agent->mine.ufrag, 4);
    make_word(agent->mine.password, 22);
    gather_begin(agent);
}

struct description ice_describe(const struct ice_agent *agent)
{
    struct description mine = agent->mine;
    mine.count = 0;
    for (int i = 0; i < agent->mine.count; i++) {
        struct candidate one = agent->mine.candidates[i];
        if (agent->set.only_relay) // nobody is told the host's own address (RFC 8839 §5.1)
            address_read("0.0.0.0", 9, &one.related);
        if (!agent->set.only_relay || one.type == RELAYED)
            mine.candidates[mine.count++] = one;
    }
    return mine;
}

void ice_start(struct ice_agent *agent, const struct description *theirs)
{
    agent->theirs = *theirs;
    agent->state = ICE_CHECKING;
    agent->started_ns = now_ns();
    gather_permits(agent);
    make_pairs(agent);
    for (int i = 0; i < agent->early_count; i++)
        check_accept(agent, &agent->early[i]);
    agent->early_count = 0;
}
