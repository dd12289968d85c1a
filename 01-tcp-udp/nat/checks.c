// checks.c: connectivity checks (RFC 8445 section 7): a Binding request from one agent to the
// other, signed with the other one's password. An answer shows that the pair works both ways.
// See parts/ice_parts.h.
//
//     alice                                                bob
//       ── Binding request: USERNAME bob:alice, PRIORITY ──▶   bob's NAT may drop it; alice's
//                                                              NAT lets bob in from now on
//       ◀── Binding request: USERNAME alice:bob, PRIORITY ──
//       ── answer: XOR-MAPPED-ADDRESS ─────────────────────▶
//       ── Binding request again (triggered) ──────────────▶   this one gets through
#include <stdio.h>
#include <string.h>

#include "datagram.h"
#include "ice_parts.h"
#include "net.h"

static void send_signed(struct ice_agent *agent, int local, const struct sockaddr_storage *to,
                        struct stun_writer *writer, const char *key)
{
    stun_sign(writer, key);
    stun_add_fingerprint(writer);
    agent_transmit(agent, local, to, writer->bytes, writer->length);
}

// Sends a check of the pair with this transaction.
static void send_check(struct ice_agent *agent, const struct ice_pair *pair,
                       const uint8_t *transaction, bool nominates)
{
    uint8_t bytes[STUN_HEADER + 200];
    struct stun_writer writer;
    char username[2 * UFRAG_SIZE];
    const struct candidate *local = &agent->mine.candidates[pair->local];
    snprintf(username, sizeof username, "%s:%s", agent->theirs.ufrag, agent->mine.ufrag);
    stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_BINDING, transaction);
    stun_add_text(&writer, USERNAME, username);
    // If the other agent sees us at an address that it does not know, this is its priority.
    stun_add_u32(&writer, PRIORITY, candidate_priority(PEER_REFLEXIVE, local->socket));
    if (agent->controlling)
        stun_add_u64(&writer, ICE_CONTROLLING, agent->tie_breaker);
    else
        stun_add_u64(&writer, ICE_CONTROLLED, agent->tie_breaker);
    if (nominates)
        stun_add(&writer, USE_CANDIDATE, NULL, 0);
    send_signed(agent, pair->local, &agent->theirs.candidates[pair->remote].address, &writer,
                agent->theirs.password);
}

void check_send(struct ice_agent *agent, struct ice_pair *pair, int64_t now)
{
    char text[PAIR_TEXT];
    if (pair->state != PAIR_IN_PROGRESS) {
        stun_new_transaction(pair->transaction);
        pair->tries = 0;
        pair->state = PAIR_IN_PROGRESS;
        if (pair->order == 0) {
            pair->order = ++agent->order_count;
            pair->was_triggered = pair->triggered > 0;
        }
        agent_tell(agent, "%s %s", pair->nominating ? "nominate" : "check",
                   ice_pair_text(agent, pair, text));
    }
    pair->triggered = 0;
    pair->sent_as_controlling = agent->controlling;
    send_check(agent, pair, pair->transaction, pair->nominating && agent->controlling);
    pair->due_ns = now + ((int64_t)agent->set.retry << pair->tries) * MS_NS;
    pair->tries++;
}

void check_consent(struct ice_agent *agent, const struct ice_pair *pair)
{
    uint8_t *transaction = agent->consents[agent->consent_count++ % ICE_CONSENTS];
    stun_new_transaction(transaction);
    send_check(agent, pair, transaction, false);
}

// ---- requests of the other agent -----------------------------------------------------------

static void refuse(struct ice_agent *agent, int local, const struct stun_message *request,
                   const struct sockaddr_storage *to, int code, const char *reason)
{
    uint8_t bytes[STUN_HEADER + 160];
    struct stun_writer writer;
    stun_begin(&writer, bytes, sizeof bytes, STUN_ERROR, STUN_BINDING, request->bytes + 4);
    stun_add_error(&writer, code, reason);
    if (code == 487) { // signed: else anybody could make us change our role
        send_signed(agent, local, to, &writer, agent->mine.password);
        return;
    }
    stun_add_fingerprint(&writer);
    agent_transmit(agent, local, to, bytes, writer.length);
}

// Both agents believe that they have the same role: the larger tie-breaker controls (RFC 8445
// section 7.3.1.1). True: the request is refused, the other agent has to change its role.
static bool is_role_conflict(struct ice_agent *agent, const struct stun_message *request)
{
    uint64_t theirs;
    bool we_are_larger;
    if (agent->controlling && stun_find_u64(request, ICE_CONTROLLING, &theirs))
        we_are_larger = agent->tie_breaker >= theirs;
    else if (!agent->controlling && stun_find_u64(request, ICE_CONTROLLED, &theirs))
        we_are_larger = agent->tie_breaker < theirs; // the smaller one stays controlled
    else
        return false;
    agent->role_conflicts++;
    if (we_are_larger)
        return true;
    agent_switch_role(agent);
    return false;
}

// The remote candidate with this address; one that nobody has told us of is peer-reflexive: the
// other agent's NAT has given it another port for us than for the STUN server.
static int find_remote(struct ice_agent *agent, const struct ice_early *request)
{
    struct description *theirs = &agent->theirs;
    char name[NET_NAME];
    for (int i = 0; i < theirs->count; i++)
        if (address_is(&theirs->candidates[i].address, &request->from))
            return i;
    if (theirs->count == CANDIDATES_MAX)
        return ICE_NONE;
    theirs->candidates[theirs->count] = (struct candidate){.type = PEER_REFLEXIVE,
                                                           .address = request->from,
                                                           .related = request->from,
                                                           .priority = request->priority};
    snprintf(theirs->candidates[theirs->count].foundation, FOUNDATION_SIZE, "p%d",
             theirs->count);
    agent_tell(agent, "a new candidate: prflx %s", net_name(&request->from, name));
    return theirs->count++;
}

void check_accept(struct ice_agent *agent, const struct ice_early *request)
{
    int remote = find_remote(agent, request);
    struct ice_pair *pair = NULL;
    if (remote != ICE_NONE)
        pair = agent_pair(agent, request->local, remote);
    if (!pair)
        return;
    if (request->wanted && !agent->controlling)
        pair->wanted = true;
    if (pair->wanted && pair->state == PAIR_SUCCEEDED)
        agent_select(agent, pair);
    else if (pair->state != PAIR_SUCCEEDED && (pair->wanted || agent->state != ICE_CONNECTED))
        agent_trigger(agent, pair);
}

static bool has_unknown_attribute(const struct stun_message *request)
{
    size_t at = 0;
    uint16_t type, length;
    while (stun_next(request, &at, &type, &length))
        if (type < STUN_OPTIONAL && type != USERNAME && type != PRIORITY &&
            type != USE_CANDIDATE)
            return true;
    return false;
}

// Whether USERNAME begins with our part, "ours:theirs".
static bool is_for_us(const struct ice_agent *agent, const struct stun_message *request)
{
    uint16_t length;
    size_t ours = strlen(agent->mine.ufrag);
    const uint8_t *name = stun_find(request, USERNAME, &length);
    return name && length > ours && name[ours] == ':' && !memcmp(name, agent->mine.ufrag, ours);
}

static void take_request(struct ice_agent *agent, int local, const struct stun_message *request,
                         const struct sockaddr_storage *from)
{
    uint8_t bytes[STUN_HEADER + 120];
    struct stun_writer writer;
    uint16_t length;
    struct ice_early early = {.local = local, .from = *from};
    if (!request->fingerprint_at)
        return; // no check of an ICE agent
    if (!request->integrity_at || !stun_find(request, USERNAME, &length) ||
        !stun_find_u32(request, PRIORITY, &early.priority)) {
        refuse(agent, local, request, from, 400, "Bad Request");
        return;
    }
    if (!is_for_us(agent, request) || !stun_is_signed(request, agent->mine.password)) {
        refuse(agent, local, request, from, 401, "Unauthenticated");
        return;
    }
    if (has_unknown_attribute(request)) {
        refuse(agent, local, request, from, 420, "Unknown Attribute");
        return;
    }
    if (is_role_conflict(agent, request)) {
        refuse(agent, local, request, from, 487, "Role Conflict");
        return;
    }
    early.wanted = stun_find(request, USE_CANDIDATE, &length) != NULL;
    stun_begin(&writer, bytes, sizeof bytes, STUN_SUCCESS, STUN_BINDING, request->bytes + 4);
    stun_add_address(&writer, XOR_MAPPED_ADDRESS, from);
    send_signed(agent, local, from, &writer, agent->mine.password);
    agent->checks_answered++;
    if (agent->state >= ICE_CHECKING)
        check_accept(agent, &early);
    else if (agent->early_count < ICE_EARLY_MAX) // we do not know the other agent yet
        agent->early[agent->early_count++] = early;
}

// ---- answers of the other agent ------------------------------------------------------------

static void succeed(struct ice_agent *agent, struct ice_pair *pair, int64_t now)
{
    char text[PAIR_TEXT];
    pair->state = PAIR_SUCCEEDED;
    if (!agent->first_valid_ns)
        agent->first_valid_ns = now;
    agent_tell(agent, "works %s", ice_pair_text(agent, pair, text));
    if ((pair->nominating && agent->controlling) || (pair->wanted && !agent->controlling))
        agent_select(agent, pair);
}

static bool is_consent(struct ice_agent *agent, const struct stun_message *answer)
{
    for (unsigned i = 0; i < ICE_CONSENTS && i < agent->consent_count; i++)
        if (stun_is_transaction(answer, agent->consents[i]))
            return true;
    return false;
}

static void take_answer(struct ice_agent *agent, int local, const struct stun_message *answer,
                        const struct sockaddr_storage *from)
{
    struct ice_pair *pair = NULL;
    struct sockaddr_storage mapped;
    int64_t now = now_ns();
    // Only the other agent can sign with its password.
    bool is_signed =
        agent->state >= ICE_CHECKING && stun_is_signed(answer, agent->theirs.password);
    if (is_signed && answer->class == STUN_SUCCESS && is_consent(agent, answer))
        agent->heard_ns = now;
    for (int i = 0; i < agent->pair_count; i++)
        if (agent->pairs[i].state == PAIR_IN_PROGRESS &&
            stun_is_transaction(answer, agent->pairs[i].transaction))
            pair = &agent->pairs[i];
    if (!pair)
        return;
    bool same_way = pair->local == local &&
                    address_is(from, &agent->theirs.candidates[pair->remote].address);
    if (answer->class == STUN_ERROR && stun_error_code(answer) == 487 && is_signed) {
        if (pair->sent_as_controlling == agent->controlling)
            agent_switch_role(agent);
        pair->state = PAIR_WAITING; // another message: another transaction
        agent_trigger(agent, pair);
    } else if (answer->class == STUN_ERROR && same_way) {
        agent_tell(agent, "a check is refused: error %d", stun_error_code(answer));
        pair->state = PAIR_FAILED;
    } else if (answer->class == STUN_SUCCESS && is_signed && !same_way) {
        pair->state = PAIR_FAILED; // RFC 8445 section 7.2.5.2.1: it took another way back
    } else if (answer->class == STUN_SUCCESS && is_signed &&
               stun_find_address(answer, XOR_MAPPED_ADDRESS, &mapped)) {
        succeed(agent, pair, now);
    }
}

void check_take(struct ice_agent *agent, int local, const struct stun_message *message,
                const struct sockaddr_storage *from)
{
    if (message->method != STUN_BINDING || !message->has_cookie)
        return;
    if (message->class == STUN_REQUEST)
        take_request(agent, local, message, from);
    else if (message->class != STUN_INDICATION)
        take_answer(agent, local, message, from);
}
