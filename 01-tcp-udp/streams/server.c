// server.c: QUIC's ideas over plain UDP: one socket for all clients, and in it connections with
// ids, packets with numbers, streams that do not wait for each other. It is not QUIC, and
// nothing is encrypted: ../../04-tls has the real one.
//
// Run:    ./server                                   in one terminal, and in another one
//         ./client /bytes/50000 /bytes/20000         several things at once
//         ./client --packets /bytes/3000             with each packet
// Watch:  what the server says when a client comes, and when it changes its address.
//
// Read take_datagram() first: to which connection a datagram belongs. What a connection does
// with it is in receive.c; what it sends is in send.c. The same resources are to be had over
// TCP on the same port number (parts/over_tcp.c), for comparison.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "datagram.h"
#include "log.h"
#include "net.h"
#include "options.h"
#include "over_tcp.h"
#include "requests.h"
#include "secret.h"
#include "smaller.h"
#include "timers.h"
#include "token.h"
#include "udp.h"

#define PEERS_MAX     1000
#define HALF_OPEN_MAX 32                  // more have to show a token first
#define REPLACE_NS    INT64_C(1000000000) // when all places are taken: silent for so long
#define DATAGRAMS     64                  // that are taken before the server answers
#define BACKLOG       1024                // of TCP

static const char *host = "127.0.0.1", *key;
static int port = 8201;
static bool always_retry, quiet;
static int udp;
static uint8_t token_key[TOKEN_KEY_BYTES];
static struct peer *peers[PEERS_MAX]; // at the place that is in the first two bytes of its id
static int half_open;
static unsigned long accepted, retries, strangers;

// ---- who is there --------------------------------------------------------------------------

static void forget(int place)
{
    connection_end(&peers[place]->connection);
    free(peers[place]);
    peers[place] = NULL;
}

// A free place, or that of the client that has been silent longest. -1: there is none.
static int find_place(int64_t now)
{
    int silent = -1;
    int64_t since = now - REPLACE_NS;
    for (int i = 0; i < PEERS_MAX; i++) {
        if (!peers[i])
            return i;
        if (peers[i]->connection.heard_ns < since) {
            since = peers[i]->connection.heard_ns;
            silent = i;
        }
    }
    if (silent >= 0)
        forget(silent);
    return silent;
}

// "Come again, with this token": to whoever really is at that address.
static void send_retry(const struct header *first, const struct sockaddr_storage *to,
                       int64_t now)
{
    uint8_t out[HEADER_MAX], id[ID_BYTES], token[TOKEN_BYTES];
    random_bytes(id, ID_BYTES);
    token_make(token_key, to, id, now, token);
    struct header retry = {.type = PACKET_RETRY,
                           .to = first->from,
                           .from = id,
                           .token = token,
                           .token_length = TOKEN_BYTES};
    udp_send(udp, out, header_write(out, &retry), to);
    retries++;
    log_line("a first packet: a retry, and nothing kept");
}

static void refuse(const struct header *first, const struct sockaddr_storage *to, int64_t now,
                   uint64_t code, const char *reason)
{
    struct connection c;
    uint8_t out[DATAGRAM_MAX], id[ID_BYTES] = {0};
    struct sockaddr_storage same;
    if (connection_accept(&c, &requests_user, id, first, to, true, now)) {
        c.key = key;
        connection_close(&c, code, reason);
        udp_send(udp, out, connection_send(&c, out, now, &same), to);
    }
    connection_end(&c);
}

// A first packet, for no connection that is known. Returns the new connection, or NULL.
static struct peer *accept_peer(const struct header *first, const struct sockaddr_storage *from,
                                int64_t now)
{
    uint8_t id[ID_BYTES];
    bool has_token = first->token_length > 0;
    if (!has_token && (always_retry || half_open >= HALF_OPEN_MAX)) {
        send_retry(first, from, now);
        return NULL;
    }
    if (has_token &&
        !token_is_good(token_key, from, first->to, now, first->token, first->token_length)) {
        refuse(first, from, now, INVALID_TOKEN, "this token is not good, or not any more");
        return NULL;
    }
    int place = find_place(now);
    if (place < 0) {
        refuse(first, from, now, CONNECTION_REFUSED, "too many clients");
        return NULL;
    }
    random_bytes(id, ID_BYTES);
    id[0] = (uint8_t)(place >> 8);
    id[1] = (uint8_t)place;
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer && !connection_accept(&peer->connection, &requests_user, id, first, from,
                                   has_token, now)) {
        free(peer);
        peer = NULL;
    }
    if (!peer)
        return NULL; // no memory: to the client, the packet is lost
    peers[place] = peer;
    peer->connection.key = key;
    peer->more_ns = NEVER;
    half_open++; // counted anew in each round
    accepted++;
    return peer;
}

// The connection that a packet is for. A first packet may come twice: it is known by the id
// that the client has made up, all others by the id that the server has given.
static struct peer *find_peer(const struct header *h, const struct sockaddr_storage *from)
{
    int place = h->to[0] << 8 | h->to[1];
    if (place < PEERS_MAX && peers[place] &&
        !memcmp(peers[place]->connection.id, h->to, ID_BYTES))
        return peers[place];
    if (h->type != PACKET_FIRST)
        return NULL;
    for (int i = 0; i < PEERS_MAX; i++)
        if (peers[i] && !memcmp(peers[i]->connection.original_id, h->to, ID_BYTES) &&
            address_is(&peers[i]->connection.path.address, from))
            return peers[i];
    return NULL;
}

static void take_datagram(const uint8_t *bytes, size_t length,
                          const struct sockaddr_storage *from, int64_t now)
{
    struct header header;
    size_t whole = length, head = header_read(bytes, length, &header);
    if (head > 0 && header.type == PACKET_OTHER_VERSION && length >= DATAGRAM_MIN) {
        uint8_t out[DATAGRAM_MIN];
        udp_send(udp, out, versions_write(out, &header), from);
        log_line("a packet of another version: QUIC's version negotiation");
        return;
    }
    if (head == 0 || header.type > PACKET_SHORT || header.type == PACKET_RETRY ||
        !tag_is_right(key, bytes, &length) || length < head) {
        strangers++;
        return;
    }
    struct peer *peer = find_peer(&header, from);
    if (!peer && header.type == PACKET_FIRST && whole >= DATAGRAM_MIN)
        peer = accept_peer(&header, from, now);
    else if (!peer)
        strangers++;
    if (peer)
        connection_receive(&peer->connection, &header, bytes + head, length - head, whole, from,
                           now);
}

// ---- the loop ------------------------------------------------------------------------------

static void take_datagrams(int64_t now)
{
    uint8_t bytes[65536];
    struct sockaddr_storage from;
    for (int i = 0; i < DATAGRAMS; i++) {
        ssize_t length = datagram_receive(udp, bytes, sizeof bytes, &from);
        if (length < 0)
            return;
        take_datagram(bytes, (size_t)length, &from, now);
    }
}

// Sends what a client may get now. Returns when there is something to do for it again; NEVER:
// it is gone.
static int64_t serve(int place, int64_t now)
{
    struct peer *peer = peers[place];
    struct connection *c = &peer->connection;
    struct sockaddr_storage to;
    uint8_t out[DATAGRAM_MAX];
    size_t length;
    if (now >= connection_due_ns(c))
        connection_expire(c, now);
    requests_look(peer, now);
    while ((length = connection_send(c, out, now, &to)) > 0)
        udp_send(udp, out, length, &to);
    if (c->state == CLOSED) {
        log_line("a connection is over%s%s", *c->reason ? ": " : "", c->reason);
        forget(place);
        return NEVER;
    }
    half_open += c->state == CONNECTING;
    return earlier(connection_due_ns(c), peer->more_ns);
}

static void run(int stop_fd)
{
    struct pollfd polls[] = {{stop_fd, POLLIN, 0}, {udp, POLLIN, 0}};
    int64_t due = NEVER;
    while (!polls[0].revents) {
        if (udp_wait(polls, 2, due) < 0)
            die("cannot wait in ppoll(): %s", strerror(errno));
        int64_t now = now_ns();
        if (polls[1].revents)
            take_datagrams(now);
        due = NEVER;
        half_open = 0;
        for (int i = 0; i < PEERS_MAX; i++)
            if (peers[i])
                due = earlier(due, serve(i, now));
    }
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "UDP and TCP port; 0: the kernel chooses"},
        {"retry", OPTION_FLAG, &always_retry, .help = "every client has to show a token"},
        {"key", OPTION_TEXT, &key,
         .help = "both ends prove with each packet that they know it"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each event"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 01, streams: QUIC's ideas over UDP.", options});
    if (key && strlen(key) > KEY_MAX)
        options_reject("--key takes at most %d bytes", KEY_MAX);
    log_begin(quiet);
    int listener, stop_fd = net_stop_fd();
    random_bytes(token_key, sizeof token_key);
    udp = datagram_listen(host, port, BACKLOG, &listener);
    udp_prepare(udp, address_of_socket(udp).ss_family);
    over_tcp_begin(listener);
    net_ready(udp);
    run(stop_fd);
    for (int i = 0; i < PEERS_MAX; i++)
        if (peers[i])
            forget(i);
    long over_tcp = over_tcp_end();
    log_end();
    printf("stopped: connections %lu, over TCP %ld, retries %lu, strange packets %lu\n",
           accepted, over_tcp, retries, strangers);
    close(udp);
    close(stop_fd);
    return 0;
}
