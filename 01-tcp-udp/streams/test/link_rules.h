// link_rules.h: two ends in one process, over a link that loses, doubles and swaps datagrams,
// as a seed says: the same seed, the same link. For the tests and the fuzzer.
#ifndef LINK_RULES_H
#define LINK_RULES_H

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "datagram.h"
#include "measure.h"
#include "timers.h"

#define LINK_DATAGRAMS 1000
#define LINK_STREAMS   6
#define LINK_HOUR_NS   INT64_C(3600000000000)

struct link_datagram {
    int64_t at_ns; // when it arrives
    bool to_server;
    size_t length;
    uint8_t bytes[DATAGRAM_MAX];
    struct sockaddr_storage from;
};

// What the link does, in percent, and how far it is.
struct link_kind {
    int loss, doubled, jitter_ms, delay_ms;
    int hostile;     // percent of datagrams that are changed, cut, or followed by a made-up one
    bool moves;      // the client's address changes now and then
    const char *key; // with it, no end takes what is changed
};

struct link {
    struct link_kind kind;
    struct connection ends[2]; // the client, the server
    bool has_server;
    int count;
    int64_t now_ns;
    uint64_t random;
    struct sockaddr_storage client, server;
    uint64_t lengths[LINK_STREAMS], taken[LINK_STREAMS]; // of the answers
    bool ended[LINK_STREAMS];
    int streams;
    const char *fault;
    unsigned long passed;
    struct link_datagram waiting[LINK_DATAGRAMS]; // last
};

static inline int link_dice(struct link *link, int sides)
{
    return (int)(random_next(&link->random) % (uint64_t)sides);
}

static inline uint8_t link_byte(int stream, uint64_t offset)
{
    return (uint8_t)(offset * 7 + offset / 251 + (uint64_t)stream * 13);
}

static inline struct link *link_of(struct connection *c)
{
    return c->context;
}

static inline void link_fill(struct connection *c, struct stream *s, uint64_t offset,
                             uint8_t *out, size_t length)
{
    (void)c;
    for (size_t i = 0; i < length; i++)
        out[i] = link_byte(s->place, offset + i);
}

// A server answers when the request is whole; a client checks every byte.
static inline void link_arrived(struct connection *c, struct stream *s, const uint8_t *bytes,
                                size_t length, bool end)
{
    struct link *link = link_of(c);
    int place = s->place;
    bool trusts = link->kind.hostile == 0 || link->kind.key;
    for (size_t i = 0; i < length && trusts; i++)
        if (bytes[i] != link_byte(place, s->in_next + i))
            link->fault = "a byte is wrong";
    if (c->is_server) {
        if (end && place < LINK_STREAMS)
            connection_offer(s, link->lengths[place], true);
        return;
    }
    if (link->ended[place] && trusts)
        link->fault = "bytes come behind the end";
    link->taken[place] += length;
    if (end && trusts && link->taken[place] != link->lengths[place])
        link->fault = "a stream ends too early";
    link->ended[place] = end;
}

static const struct connection_user link_user = {.fill = link_fill, .arrived = link_arrived};

static inline struct sockaddr_storage link_address(uint32_t host, uint16_t port)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *address = (struct sockaddr_in *)&storage;
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(host);
    address->sin_port = htons(port);
    return storage;
}

static inline void link_put(struct link *link, bool to_server, const uint8_t *bytes,
                            size_t length, const struct sockaddr_storage *from)
{
    if (link->count == LINK_DATAGRAMS || link_dice(link, 100) < link->kind.loss)
        return;
    struct link_datagram *d = &link->waiting[link->count++];
    int64_t jitter = 0;
    if (link->kind.jitter_ms)
        jitter = link_dice(link, link->kind.jitter_ms * 1000) * INT64_C(1000);
    d->at_ns = link->now_ns + link->kind.delay_ms * INT64_C(1000000) + jitter +
               (int64_t)link->passed; // in order, where nothing else swaps them
    d->to_server = to_server;
    d->length = length;
    d->from = *from;
    memcpy(d->bytes, bytes, length);
}

// Changes a datagram, or puts a made-up one beside it: nothing that an end may trust.
static inline void link_attack(struct link *link, uint8_t *bytes, size_t *length)
{
    int changes = link_dice(link, 4);
    for (int i = 0; i < changes; i++)
        bytes[link_dice(link, (int)*length)] = (uint8_t)link_dice(link, 256);
    if (link_dice(link, 4) == 0)
        *length = (size_t)link_dice(link, (int)*length + 1);
}

static inline void link_send(struct link *link, int end)
{
    uint8_t out[DATAGRAM_MAX];
    struct sockaddr_storage to;
    size_t length;
    int most = 2000;
    while ((length = connection_send(&link->ends[end], out, link->now_ns, &to)) > 0) {
        const struct sockaddr_storage *from = &link->client;
        if (end == 1)
            from = &link->server;
        link->passed++;
        if (--most == 0) {
            link->fault = "an end sends without end";
            return;
        }
        if (end == 1 && !address_is(&to, &link->client))
            continue; // to an address that the client no longer has
        if (link_dice(link, 100) < link->kind.hostile)
            link_attack(link, out, &length);
        link_put(link, end == 0, out, length, from);
        if (link_dice(link, 100) < link->kind.doubled)
            link_put(link, end == 0, out, length, from);
    }
}

static inline void link_take(struct link *link, const struct link_datagram *d)
{
    struct header h;
    size_t head = header_read(d->bytes, d->length, &h);
    size_t length = d->length;
    if (head == 0 || h.type > PACKET_SHORT ||
        !tag_is_right(link->kind.key, d->bytes, &length) || length < head)
        return;
    struct connection *c = &link->ends[d->to_server];
    if (d->to_server && !link->has_server) {
        uint8_t id[ID_BYTES] = "server!";
        if (h.type != PACKET_FIRST)
            return;
        link->has_server =
            connection_accept(c, &link_user, id, &h, &d->from, false, link->now_ns);
        c->context = link;
        c->key = link->kind.key;
    } else if (memcmp(h.to, c->id, ID_BYTES) && memcmp(h.to, c->original_id, ID_BYTES)) {
        return;
    }
    connection_receive(c, &h, d->bytes + head, length - head, d->length, &d->from,
                       link->now_ns);
}

// The next thing that happens: a datagram arrives, or an end's time has come.
static inline void link_step(struct link *link)
{
    int first = -1;
    int64_t due = NEVER;
    for (int i = 0; i < link->count; i++)
        if (link->waiting[i].at_ns < due) {
            due = link->waiting[i].at_ns;
            first = i;
        }
    for (int end = 0; end < 1 + link->has_server; end++)
        if (link->ends[end].state < CLOSED && connection_due_ns(&link->ends[end]) < due) {
            due = connection_due_ns(&link->ends[end]);
            first = -1 - 1 - end;
        }
    if (first == -1) {
        link->fault = "nothing is due any more";
        return;
    }
    if (due > link->now_ns)
        link->now_ns = due;
    if (first >= 0) {
        static struct link_datagram d;
        d = link->waiting[first];
        link->waiting[first] = link->waiting[--link->count];
        link_take(link, &d);
    } else if (connection_due_ns(&link->ends[-2 - first]) <= link->now_ns) {
        connection_expire(&link->ends[-2 - first], link->now_ns);
    }
    if (link->kind.moves && link->ends[1].state == OPEN && link_dice(link, 200) == 0) {
        link->client = link_address(0x0a000001 + (uint32_t)link_dice(link, 3),
                                    (uint16_t)(1000 + link_dice(link, 5)));
        connection_moved(&link->ends[0]);
    }
    link_send(link, 0);
    if (link->has_server)
        link_send(link, 1);
}

static inline bool link_over(const struct link *link)
{
    for (int i = 0; i < link->streams; i++)
        if (!link->ended[i])
            return false;
    return true;
}

static inline void link_begin(struct link *link, uint64_t seed, const struct link_kind *kind,
                              uint32_t longest)
{
    uint8_t ids[2][ID_BYTES] = {"client!", "made up"};
    memset(link, 0, offsetof(struct link, waiting));
    link->kind = *kind;
    link->random = seed;
    link->now_ns = 1000;
    link->client = link_address(0x0a000001, 1000);
    link->server = link_address(0x0a000002, 8201);
    connection_begin(&link->ends[0], &link_user, ids[0], ids[1], &link->server, link->now_ns);
    link->ends[0].context = link;
    link->ends[0].key = kind->key;
    uint32_t window = STREAM_WINDOW << link_dice(link, 4);
    if (window > STREAM_WINDOW) {
        link->ends[0].stream_window = window;
        link->ends[0].window = link->ends[0].in_max = 2 * window;
        link->ends[0].max_data_due = true;
    }
    link->streams = 1 + link_dice(link, LINK_STREAMS);
    for (int i = 0; i < link->streams; i++) {
        link->lengths[i] = (uint64_t)link_dice(link, (int)longest);
        struct stream *s = connection_open_stream(&link->ends[0]);
        connection_offer(s, 1 + (uint64_t)link_dice(link, 900), true);
    }
    link_send(link, 0);
}

static inline void link_end(struct link *link)
{
    connection_end(&link->ends[0]);
    if (link->has_server)
        connection_end(&link->ends[1]);
}

// Lets all streams come to their ends. Returns what was wrong, or NULL.
static inline const char *link_run(struct link *link)
{
    for (int steps = 0; !link->fault && !link_over(link); steps++) {
        link_step(link);
        if (link->ends[0].state == CLOSED || link->ends[1].state == CLOSED) {
            if (!link->kind.hostile || link->kind.key)
                link->fault = "the connection is over before its streams are";
            return link->fault;
        }
        if (steps > 2000000 || link->now_ns > LINK_HOUR_NS)
            link->fault = "the streams do not come to an end";
    }
    if (!link->fault && (!link->kind.hostile || link->kind.key))
        for (int i = 0; i < link->streams; i++)
            if (link->taken[i] != link->lengths[i])
                link->fault = "bytes are missing";
    return link->fault;
}

#endif
