// relay.c: see relay.h.
#include "relay.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "datagram.h"
#include "secret.h"
#include "log.h"
#include "net.h"

#define NONCE_CHARS   24
#define NONCE_SECONDS 60 // a nonce is good for so long, and for the same time again
#define SECOND_NS     INT64_C(1000000000)
#define BATCH         64 // datagrams for one relayed address before the others have their turn

struct relay {
    int fd;        // of the relayed address; 0: this entry is free
    int client_fd; // the server's socket that the client talks to
    struct sockaddr_storage client, permits[RELAY_PERMITS_MAX];
    int permit_count;
    int64_t end_ns;
    double allowance; // bytes that may pass now
    int64_t allowance_ns;
    unsigned long bytes;
};

struct relay_figures relay_figures;
static struct relay relays[RELAYS_MAX];
static struct sockaddr_storage relay_host;
static int most_seconds, kbytes_per_second;
static uint8_t secret[16];

void relay_begin(const struct sockaddr_storage *host, int seconds, int rate)
{
    relay_host = *host;
    address_set_port(&relay_host, 0);
    most_seconds = seconds;
    kbytes_per_second = rate;
    random_bytes(secret, sizeof secret);
}

static void end_relay(struct relay *relay)
{
    char name[NET_NAME];
    log_line("relay: %s gives its address back, %lu bytes passed",
             net_name(&relay->client, name), relay->bytes);
    close(relay->fd);
    relay->fd = 0;
}

void relay_expire(int64_t now)
{
    for (int i = 0; i < RELAYS_MAX; i++)
        if (relays[i].fd && relays[i].end_ns <= now)
            end_relay(&relays[i]);
}

static struct relay *find_relay(const struct sockaddr_storage *client)
{
    for (int i = 0; i < RELAYS_MAX; i++)
        if (relays[i].fd && address_is(&relays[i].client, client))
            return &relays[i];
    return NULL;
}

// ---- ALLOCATE ------------------------------------------------------------------------------

// What only a client can repeat that gets the server's answers: forged sources do not.
static void make_nonce(const struct sockaddr_storage *source, int64_t period,
                       char nonce[NONCE_CHARS + 1])
{
    char name[NET_NAME], text[NET_NAME + 32];
    uint8_t digest[SHA1_BYTES];
    int length =
        snprintf(text, sizeof text, "%s %lld", net_name(source, name), (long long)period);
    hmac_sha1(secret, sizeof secret, text, (size_t)length, digest);
    for (int i = 0; i < NONCE_CHARS / 2; i++)
        snprintf(nonce + 2 * i, 3, "%02x", digest[i]);
}

static bool has_nonce(const struct stun_message *request, const struct sockaddr_storage *source,
                      int64_t period)
{
    char nonce[NONCE_CHARS + 1];
    uint16_t length;
    const uint8_t *value = stun_find(request, NONCE, &length);
    make_nonce(source, period, nonce);
    return value && length == NONCE_CHARS && !memcmp(value, nonce, NONCE_CHARS);
}

static size_t ask_for_nonce(const struct stun_message *request,
                            const struct sockaddr_storage *source, int64_t period,
                            uint8_t answer[ANSWER_MAX])
{
    struct stun_writer writer;
    char nonce[NONCE_CHARS + 1];
    make_nonce(source, period, nonce);
    stun_begin(&writer, answer, ANSWER_MAX, STUN_ERROR, request->method, request->bytes + 4);
    stun_add_error(&writer, 401, "Repeat it with NONCE");
    stun_add_text(&writer, NONCE, nonce);
    stun_add_fingerprint(&writer);
    return writer.length;
}

// A new allocation, or NULL: there are too many.
static struct relay *new_relay(const struct sockaddr_storage *client, int client_fd)
{
    struct relay *free_one = NULL;
    int of_host = 0;
    for (int i = 0; i < RELAYS_MAX; i++) {
        if (!relays[i].fd)
            free_one = &relays[i];
        else if (address_is_host(&relays[i].client, client))
            of_host++;
    }
    if (!free_one || of_host >= RELAYS_OF_HOST_MAX)
        return NULL;
    int fd = datagram_bind(&relay_host);
    if (fd < 0)
        return NULL;
    *free_one = (struct relay){.fd = fd, .client_fd = client_fd, .client = *client};
    free_one->allowance = kbytes_per_second * 1000.0;
    free_one->allowance_ns = now_ns();
    return free_one;
}

static size_t allocate(const struct stun_message *request,
                       const struct sockaddr_storage *source, int fd,
                       uint8_t answer[ANSWER_MAX])
{
    struct stun_writer writer;
    char client[NET_NAME], relayed[NET_NAME];
    int64_t period = now_ns() / (NONCE_SECONDS * SECOND_NS);
    uint32_t seconds = (uint32_t)most_seconds, wanted;
    if (!has_nonce(request, source, period) && !has_nonce(request, source, period - 1))
        return ask_for_nonce(request, source, period, answer);
    struct relay *relay = find_relay(source);
    if (!relay)
        relay = new_relay(source, fd);
    if (!relay)
        return binding_refuse(request, 486, "Too many relayed addresses", answer);
    if (stun_find_u32(request, LIFETIME, &wanted) && wanted < seconds)
        seconds = wanted;
    struct sockaddr_storage address = address_of_socket(relay->fd);
    log_line("relay: %s gets %s for %u s", net_name(source, client),
             net_name(&address, relayed), seconds);
    relay->end_ns = now_ns() + seconds * SECOND_NS;
    stun_begin(&writer, answer, ANSWER_MAX, STUN_SUCCESS, RELAY_ALLOCATE, request->bytes + 4);
    stun_add_address(&writer, XOR_RELAYED_ADDRESS, &address);
    stun_add_u32(&writer, LIFETIME, seconds);
    stun_add_fingerprint(&writer);
    if (seconds == 0)
        end_relay(relay);
    return writer.length;
}

// ---- PERMIT --------------------------------------------------------------------------------

static bool is_permitted(const struct relay *relay, const struct sockaddr_storage *peer)
{
    for (int i = 0; i < relay->permit_count; i++)
        if (address_is_host(&relay->permits[i], peer))
            return true;
    return false;
}

// A relay must not become a door to the machine that it is on, nor to many receivers at once.
static bool may_be_peer(const struct sockaddr_storage *peer)
{
    size_t length;
    const uint8_t *bytes = address_bytes(peer, &length);
    if (peer->ss_family != relay_host.ss_family || bytes[0] == 0)
        return false;
    if (bytes[0] >= 224 && length == 4) // multicast, and what is above it
        return false;
    if (bytes[0] == 0xff && length == 16)
        return false;
    return !address_is_loopback(peer) || address_is_loopback(&relay_host);
}

static size_t permit(const struct stun_message *request, const struct sockaddr_storage *source,
                     uint8_t answer[ANSWER_MAX])
{
    struct stun_writer writer;
    struct sockaddr_storage peer;
    struct relay *relay = find_relay(source);
    if (!relay)
        return binding_refuse(request, 437, "Allocation Mismatch", answer);
    if (!stun_find_address(request, XOR_PEER_ADDRESS, &peer))
        return binding_refuse(request, 400, "Bad Request", answer);
    if (!may_be_peer(&peer))
        return binding_refuse(request, 403, "Forbidden", answer);
    if (!is_permitted(relay, &peer)) {
        if (relay->permit_count == RELAY_PERMITS_MAX)
            return binding_refuse(request, 508, "Insufficient Capacity", answer);
        relay->permits[relay->permit_count++] = peer;
    }
    stun_begin(&writer, answer, ANSWER_MAX, STUN_SUCCESS, RELAY_PERMIT, request->bytes + 4);
    stun_add_fingerprint(&writer);
    return writer.length;
}

size_t relay_answer(const struct stun_message *request, const struct sockaddr_storage *source,
                    int fd, uint8_t answer[ANSWER_MAX])
{
    size_t refusal = binding_refuse_unknown(request, false, answer);
    if (refusal)
        return refusal;
    if (request->method == RELAY_ALLOCATE)
        return allocate(request, source, fd, answer);
    return permit(request, source, answer);
}

// ---- data ----------------------------------------------------------------------------------

// Takes `bytes` from what the allocation may pass now. False: it is too fast.
static bool is_allowed(struct relay *relay, size_t bytes)
{
    double rate = kbytes_per_second * 1000.0;
    int64_t now = now_ns();
    relay->allowance += rate * (double)(now - relay->allowance_ns) / (double)SECOND_NS;
    relay->allowance_ns = now;
    if (relay->allowance > rate) // what was saved up is at most one second's worth
        relay->allowance = rate;
    if (relay->allowance < (double)bytes) {
        relay_figures.dropped++;
        return false;
    }
    relay->allowance -= (double)bytes;
    return true;
}

// Sends a datagram that has `payload` bytes of a peer or of the client in it, and counts them.
static void pass_on(struct relay *relay, int fd, const void *bytes, size_t length,
                    const struct sockaddr_storage *to, size_t payload)
{
    if (datagram_send(fd, bytes, length, to) < 0) {
        relay_figures.dropped++;
        return;
    }
    relay->bytes += payload;
    relay_figures.bytes += payload;
    relay_figures.datagrams++;
}

void relay_send(const struct stun_message *indication, const struct sockaddr_storage *source)
{
    struct sockaddr_storage peer;
    uint16_t length;
    const uint8_t *data = stun_find(indication, DATA, &length);
    struct relay *relay = find_relay(source);
    if (!relay || !data || length > RELAY_PAYLOAD_MAX ||
        !stun_find_address(indication, XOR_PEER_ADDRESS, &peer) ||
        !is_permitted(relay, &peer) || !is_allowed(relay, length))
        return;
    pass_on(relay, relay->fd, data, length, &peer, length);
}

int relay_polls(struct pollfd polls[])
{
    int found = 0;
    for (int i = 0; i < RELAYS_MAX; i++)
        if (relays[i].fd)
            polls[found++] = (struct pollfd){relays[i].fd, POLLIN, 0};
    return found;
}

static void forward_one(struct relay *relay, const uint8_t *data, size_t length,
                        const struct sockaddr_storage *peer)
{
    uint8_t bytes[STUN_MAX], transaction[STUN_TRANSACTION];
    struct stun_writer writer;
    if (!is_permitted(relay, peer) || length > RELAY_PAYLOAD_MAX || !is_allowed(relay, length))
        return;
    stun_new_transaction(transaction);
    stun_begin(&writer, bytes, sizeof bytes, STUN_INDICATION, RELAY_DATA, transaction);
    stun_add_address(&writer, XOR_PEER_ADDRESS, peer);
    stun_add(&writer, DATA, data, length);
    pass_on(relay, relay->client_fd, bytes, writer.length, &relay->client, length);
}

void relay_forward(int relayed_fd)
{
    uint8_t data[RELAY_PAYLOAD_MAX + 1]; // one more: a longer datagram shows that it is longer
    struct sockaddr_storage peer;
    struct relay *relay = NULL; // it may have been given back a moment ago
    for (int i = 0; i < RELAYS_MAX; i++)
        if (relays[i].fd == relayed_fd)
            relay = &relays[i];
    for (int i = 0; relay && i < BATCH; i++) {
        ssize_t length = datagram_receive(relayed_fd, data, sizeof data, &peer);
        if (length < 0)
            return; // nothing more; or an ICMP error, which the peer's silence tells as well
        forward_one(relay, data, (size_t)length, &peer);
    }
}
