// ice_io.c: what an agent sends and receives, and a loop for many agents. See ice_parts.h.
#include <errno.h>
#include <string.h>

#include "datagram.h"
#include "ice_parts.h"
#include "net.h"
#include "smaller.h"

#define AGENTS_MAX 64 // that ice_run() can run at once
#define BATCH      64 // datagrams of one socket before the others have their turn

void agent_transmit(struct ice_agent *agent, int local, const struct sockaddr_storage *to,
                    const void *bytes, size_t length)
{
    const struct candidate *candidate = &agent->mine.candidates[local];
    int fd = agent->fds[candidate->socket];
    uint8_t wrapped[STUN_MAX], transaction[STUN_TRANSACTION];
    struct stun_writer writer;
    if (candidate->type != RELAYED) {
        // An error is as good as a loss: the packet is sent again, or the pair fails.
        datagram_send(fd, bytes, length, to);
        return;
    }
    stun_new_transaction(transaction);
    stun_begin(&writer, wrapped, sizeof wrapped, STUN_INDICATION, RELAY_SEND, transaction);
    stun_add_address(&writer, XOR_PEER_ADDRESS, to);
    stun_add(&writer, DATA, bytes, length);
    datagram_send(fd, wrapped, writer.length, &agent->server);
}

bool ice_send(struct ice_agent *agent, const void *bytes, size_t length)
{
    const struct ice_pair *path = ice_path(agent);
    if (!path || length > ICE_DATA_MAX)
        return false;
    agent_transmit(agent, path->local, &agent->theirs.candidates[path->remote].address, bytes,
                   length);
    return true;
}

// A datagram that has come to a local candidate. STUN's first two bits are 0 (RFC 7983): what
// else begins so is not taken for a chat's line.
static void take_from_peer(struct ice_agent *agent, int local, const uint8_t *bytes,
                           size_t length, const struct sockaddr_storage *from)
{
    struct stun_message message;
    if (local == ICE_NONE || length == 0)
        return;
    if (bytes[0] < 4) {
        if (!stun_read(bytes, length, &message))
            check_take(agent, local, &message, from);
        return;
    }
    for (int i = 0; i < agent->pair_count; i++) {
        const struct ice_pair *pair = &agent->pairs[i];
        if (pair->local == local && (pair->state == PAIR_SUCCEEDED || agent->selected == i) &&
            address_is(from, &agent->theirs.candidates[pair->remote].address) &&
            agent->received) {
            agent->received(agent, bytes, length);
            return;
        }
    }
}

// The local candidate of this type on this socket.
static int local_candidate(const struct ice_agent *agent, enum candidate_type type, int socket)
{
    for (int i = 0; i < agent->mine.count; i++)
        if (agent->mine.candidates[i].type == type &&
            agent->mine.candidates[i].socket == socket)
            return i;
    return ICE_NONE;
}

void ice_take_datagram(struct ice_agent *agent, int socket, const uint8_t *bytes, size_t length,
                       const struct sockaddr_storage *from)
{
    struct stun_message message;
    struct sockaddr_storage peer;
    uint16_t data_length;
    const uint8_t *data;
    bool by_server = agent->has_server && address_is(from, &agent->server);
    if (by_server && !stun_read(bytes, length, &message)) {
        if (message.class == STUN_INDICATION && message.method == RELAY_DATA &&
            (data = stun_find(&message, DATA, &data_length)) &&
            stun_find_address(&message, XOR_PEER_ADDRESS, &peer))
            take_from_peer(agent, local_candidate(agent, RELAYED, socket), data, data_length,
                           &peer);
        else if (message.class == STUN_SUCCESS || message.class == STUN_ERROR)
            gather_answer(agent, &message);
        return;
    }
    take_from_peer(agent, local_candidate(agent, HOST, socket), bytes, length, from);
}

// Takes what has come on one of the agent's sockets.
static void take_from_socket(struct ice_agent *agent, int socket)
{
    static uint8_t bytes[STUN_MAX + 1];
    for (int i = 0; i < BATCH; i++) {
        struct sockaddr_storage from;
        ssize_t length = datagram_receive(agent->fds[socket], bytes, sizeof bytes, &from);
        if (length < 0)
            return;
        ice_take_datagram(agent, socket, bytes, (size_t)length, &from);
    }
}

bool ice_run(struct ice_agent *const agents[], int count, bool (*is_done)(void), int ms,
             int extra_fd)
{
    struct pollfd polls[AGENTS_MAX * ICE_SOCKETS_MAX + 1];
    int64_t end = now_ns() + ms * MS_NS;
    if (count > AGENTS_MAX)
        die("at most %d agents at once", AGENTS_MAX);
    for (;;) {
        int used = 1;
        int64_t next = end;
        for (int i = 0; i < count; i++)
            next = earlier(next, ice_step(agents[i]));
        int64_t now = now_ns();
        if (is_done() || now >= end)
            return is_done();
        polls[0] = (struct pollfd){extra_fd, POLLIN, 0};
        for (int i = 0; i < count; i++)
            for (int k = 0; k < agents[i]->socket_count; k++)
                polls[used++] = (struct pollfd){agents[i]->fds[k], POLLIN, 0};
        int wait_ms = 0;
        if (next > now)
            wait_ms = (int)((next - now) / MS_NS) + 1;
        if (poll(polls, (nfds_t)used, wait_ms) < 0 && errno != EINTR)
            die("cannot wait for datagrams: %s", strerror(errno));
        used = 1;
        for (int i = 0; i < count; i++)
            for (int k = 0; k < agents[i]->socket_count; k++)
                if (polls[used++].revents)
                    take_from_socket(agents[i], k);
        if (extra_fd >= 0 && polls[0].revents)
            return is_done();
    }
}
