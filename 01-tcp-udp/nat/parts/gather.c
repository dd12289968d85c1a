// gather.c: how an agent learns its candidates from the server (RFC 8445 section 5.1.1), and
// keeps them alive. See ice_parts.h.
#include <stdio.h>
#include <string.h>

#include "datagram.h"
#include "ice_parts.h"
#include "net.h"
#include "smaller.h"

#define LAST_GATHER_TRIES 3 // a server that is not there must not hold up the rest for long

static void send_request(struct ice_agent *agent, struct ice_request *request, int64_t now)
{
    uint8_t bytes[STUN_HEADER + 120];
    struct stun_writer writer;
    stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, request->method,
               request->transaction);
    if (*request->nonce)
        stun_add_text(&writer, NONCE, request->nonce);
    if (request->method == RELAY_PERMIT)
        stun_add_address(&writer, XOR_PEER_ADDRESS, &request->peer);
    stun_add_fingerprint(&writer);
    datagram_send(agent->fds[request->socket], bytes, writer.length, &agent->server);
    request->due_ns = now + ((int64_t)agent->set.retry << request->tries) * MS_NS;
    request->tries++;
}

static void ask_server(struct ice_agent *agent, uint16_t method, int socket,
                       const struct sockaddr_storage *peer)
{
    for (int i = 0; i < ICE_REQUESTS_MAX; i++) {
        struct ice_request *request = &agent->requests[i];
        if (request->method)
            continue;
        *request = (struct ice_request){.method = method, .socket = socket};
        if (peer)
            request->peer = *peer;
        stun_new_transaction(request->transaction);
        send_request(agent, request, now_ns());
        return;
    }
}

static void add_candidate(struct ice_agent *agent, enum candidate_type type, int socket,
                          const struct sockaddr_storage *address)
{
    struct description *mine = &agent->mine;
    char name[NET_NAME];
    for (int i = 0; i < mine->count; i++)
        if (address_is(&mine->candidates[i].address, address))
            return; // no NAT: the server has seen the host's own address
    if (mine->count == CANDIDATES_MAX)
        return;
    struct candidate *candidate = &mine->candidates[mine->count++];
    *candidate = (struct candidate){.type = type, .address = *address, .socket = socket};
    candidate->related = address_of_socket(agent->fds[socket]);
    candidate->priority = candidate_priority(type, socket);
    snprintf(candidate->foundation, FOUNDATION_SIZE, "%d",
             1 + (int)type * ICE_SOCKETS_MAX + socket);
    agent_tell(agent, "candidate %s %s, priority %u", candidate_type_name(type),
               net_name(address, name), candidate->priority);
}

void gather_begin(struct ice_agent *agent)
{
    for (int i = 0; i < agent->socket_count; i++) {
        struct sockaddr_storage address = address_of_socket(agent->fds[i]);
        add_candidate(agent, HOST, i, &address);
    }
    for (int i = 0; i < agent->socket_count && agent->has_server; i++) {
        ask_server(agent, STUN_BINDING, i, NULL);
        if (agent->set.relay && i == 0)
            ask_server(agent, RELAY_ALLOCATE, i, NULL);
    }
}

// How long the relay keeps the address. It is asked for again after half of that time.
static void take_relayed(struct ice_agent *agent, const struct ice_request *request,
                         const struct stun_message *answer)
{
    struct sockaddr_storage address;
    uint32_t seconds = 60;
    stun_find_u32(answer, LIFETIME, &seconds);
    if (!stun_find_address(answer, XOR_RELAYED_ADDRESS, &address))
        return;
    agent->refresh_ns = now_ns() + (int64_t)seconds * 500 * MS_NS;
    add_candidate(agent, RELAYED, request->socket, &address);
}

// The relay wants its request again, with a nonce that only the true sender gets.
static bool repeat_with_nonce(struct ice_agent *agent, struct ice_request *request,
                              const struct stun_message *answer)
{
    uint16_t length;
    const uint8_t *nonce = stun_find(answer, NONCE, &length);
    if (stun_error_code(answer) != 401 || !nonce || length >= sizeof request->nonce ||
        *request->nonce)
        return false;
    memcpy(request->nonce, nonce, length);
    request->nonce[length] = '\0';
    request->tries = 0;
    stun_new_transaction(request->transaction);
    send_request(agent, request, now_ns());
    return true;
}

void gather_answer(struct ice_agent *agent, const struct stun_message *answer)
{
    struct sockaddr_storage mapped;
    struct ice_request *request = NULL;
    for (int i = 0; i < ICE_REQUESTS_MAX; i++) {
        struct ice_request *one = &agent->requests[i];
        if (one->method && one->method == answer->method &&
            stun_is_transaction(answer, one->transaction))
            request = one;
    }
    if (!request || (answer->class == STUN_ERROR && repeat_with_nonce(agent, request, answer)))
        return;
    if (answer->class == STUN_ERROR)
        agent_tell(agent, "the server refuses: error %d", stun_error_code(answer));
    else if (request->method == STUN_BINDING &&
             stun_find_address(answer, XOR_MAPPED_ADDRESS, &mapped))
        add_candidate(agent, SERVER_REFLEXIVE, request->socket, &mapped);
    else if (request->method == RELAY_ALLOCATE)
        take_relayed(agent, request, answer);
    request->method = 0;
}

void gather_permits(struct ice_agent *agent)
{
    int relayed = ICE_NONE;
    for (int i = 0; i < agent->mine.count; i++)
        if (agent->mine.candidates[i].type == RELAYED)
            relayed = agent->mine.candidates[i].socket;
    for (int i = 0; i < agent->theirs.count && relayed != ICE_NONE; i++) {
        const struct sockaddr_storage *peer = &agent->theirs.candidates[i].address;
        bool is_new = true;
        for (int k = 0; k < i; k++)
            is_new &= !address_is_host(peer, &agent->theirs.candidates[k].address);
        if (is_new)
            ask_server(agent, RELAY_PERMIT, relayed, peer);
    }
}

// While nothing is sent, a message now and then keeps the NAT's mapping, at which the other
// agent is going to look for us; and the relayed address.
static int64_t keep_alive(struct ice_agent *agent, int64_t now, int64_t next)
{
    if (agent->refresh_ns && now >= agent->refresh_ns) {
        agent->refresh_ns = now + 10000 * MS_NS; // if there is no answer
        ask_server(agent, RELAY_ALLOCATE, 0, NULL);
    }
    if (agent->state == ICE_GATHERED && now >= agent->next_keepalive_ns) {
        for (int i = 0; i < agent->socket_count; i++)
            ask_server(agent, STUN_BINDING, i, NULL);
        agent->next_keepalive_ns = now + agent->set.keepalive * MS_NS;
    }
    if (agent->refresh_ns)
        next = earlier(next, agent->refresh_ns);
    if (agent->state == ICE_GATHERED)
        next = earlier(next, agent->next_keepalive_ns);
    return next;
}

int64_t gather_step(struct ice_agent *agent, int64_t now, int64_t next)
{
    bool waiting = false;
    for (int i = 0; i < ICE_REQUESTS_MAX; i++) {
        struct ice_request *request = &agent->requests[i];
        if (request->method && now >= request->due_ns) {
            if (request->tries < LAST_GATHER_TRIES)
                send_request(agent, request, now);
            else
                request->method = 0; // the server does not answer
        }
        if (request->method)
            next = earlier(next, request->due_ns);
        waiting |= request->method != 0;
    }
    if (agent->state == ICE_GATHERING && !waiting) {
        agent->state = ICE_GATHERED;
        agent->next_keepalive_ns = now + agent->set.keepalive * MS_NS;
    }
    if (agent->has_server)
        next = keep_alive(agent, now, next);
    return next;
}
