// send.c: what a connection sends: which frames go into the next datagram, and whether it may
// leave now.
#include <string.h>

#include "connection.h"
#include "secret.h"
#include "smaller.h"
#include "timers.h"

#define CHUNK_LEAST    16 // a piece of a stream smaller than this waits for the next datagram
#define DATAGRAM_LEAST 80 // bytes: header, tag, and a frame or two

// A datagram that is being written.
struct draft {
    uint8_t *out;
    size_t length, room; // bytes so far; and the most, without the tag
    struct sent_packet packet;
    bool has_ack;
};

bool tag_is_right(const char *key, const uint8_t *datagram, size_t *length)
{
    uint8_t tag[SHA1_BYTES];
    if (!key)
        return true;
    if (*length < TAG_BYTES || *length > DATAGRAM_MAX) // no packet of ours is longer
        return false;
    *length -= TAG_BYTES;
    hmac_sha1(key, strlen(key), datagram, *length, tag);
    return same_secret(tag, datagram + *length, TAG_BYTES);
}

static void begin_draft(struct connection *c, struct draft *d, uint8_t *out, size_t most)
{
    struct header header = {.type = PACKET_SHORT,
                            .to = c->peer_id,
                            .from = c->id,
                            .token = c->token,
                            .token_length = c->token_length,
                            .number = c->recovery.next};
    if (!c->knows_peer)
        header.type = PACKET_FIRST;
    *d = (struct draft){.out = out, .room = most};
    if (c->key)
        d->room -= TAG_BYTES;
    d->length = header_write(out, &header);
}

static bool add(struct draft *d, const struct frame *frame)
{
    size_t length = frame_write(d->out + d->length, d->room - d->length, frame);
    d->length += length;
    if (length > 0 && frame->type != FRAME_ACK && frame->type != FRAME_CLOSE)
        d->packet.state = SENT_IN_FLIGHT;
    return length > 0;
}

static void pad(struct draft *d, size_t length, bool has_key)
{
    if (has_key)
        length -= TAG_BYTES;
    length = smaller(length, d->room);
    if (d->length >= length)
        return;
    memset(d->out + d->length, FRAME_PADDING, length - d->length);
    d->length = length;
}

// Closes the datagram, and puts it down as sent.
static size_t finish(struct connection *c, struct draft *d, struct path *path, int64_t now)
{
    uint8_t tag[SHA1_BYTES];
    if (c->key) {
        hmac_sha1(c->key, strlen(c->key), d->out, d->length, tag);
        memcpy(d->out + d->length, tag, TAG_BYTES);
        d->length += TAG_BYTES;
    }
    d->packet.at_ns = now;
    d->packet.bytes = (uint16_t)d->length;
    path->sent += d->length;
    recovery_sent(&c->recovery, &d->packet);
    return d->length;
}

// ---- frames --------------------------------------------------------------------------------

static void add_ack(struct connection *c, struct draft *d, int64_t now)
{
    struct frame f = {.type = FRAME_ACK, .delay_us = (uint64_t)(now - c->largest_ns) / 1000};
    for (uint32_t i = c->received.count; i > 0; i--)
        f.acks[f.ack_count++] = c->received.list[i - 1];
    if (f.ack_count == 0 || !add(d, &f))
        return;
    d->has_ack = true;
    c->ack_pending = 0;
    c->ack_due_ns = NEVER;
}

static void add_path_frames(struct connection *c, struct draft *d)
{
    if (c->response_due &&
        add(d, &(struct frame){.type = FRAME_PATH_RESPONSE, .data = c->response})) {
        c->response_due = false;
        c->pad_next = true;
        if (!c->is_server) // not only an answer, but a sign where the client is: see follow()
            add(d, &(struct frame){.type = FRAME_PING});
    }
    if (c->path.challenge_due &&
        add(d, &(struct frame){.type = FRAME_PATH_CHALLENGE, .data = c->path.challenge})) {
        c->path.challenge_due = false;
        c->pad_next = true;
    }
}

static void add_windows(struct connection *c, struct draft *d)
{
    if (c->max_data_due &&
        add(d, &(struct frame){.type = FRAME_MAX_DATA, .value = c->in_max})) {
        c->max_data_due = false;
        d->packet.says |= SAYS_MAX_DATA;
    }
    for (int i = 0; i < STREAMS_MAX; i++) {
        struct stream *s = c->streams[i];
        if (s && s->window_due &&
            add(d, &(struct frame){
                       .type = FRAME_MAX_STREAM_DATA, .stream = s->id, .value = s->in_max})) {
            s->window_due = false;
            d->packet.says |= SAYS_MAX_STREAM_DATA;
        }
        if (s && s->reset_due &&
            add(d, &(struct frame){.type = FRAME_RESET_STREAM,
                                   .stream = s->id,
                                   .code = s->reset_code,
                                   .value = s->out_next})) {
            s->reset_due = false;
            d->packet.says |= SAYS_RESET;
        }
    }
}

// Adds bytes of one stream. False: it has none, or there is no room.
static bool add_chunk(struct connection *c, struct draft *d, struct stream *s)
{
    struct chunk *chunk = &d->packet.chunks[d->packet.chunk_count];
    size_t overhead = frame_stream_overhead(s->id, s->out_next);
    if (d->packet.chunk_count == CHUNKS_MAX || d->length + overhead + CHUNK_LEAST > d->room)
        return false;
    if (!stream_next(s, d->room - d->length - overhead, &c->credit, chunk))
        return false;
    struct frame f = {.type = FRAME_STREAM,
                      .stream = s->id,
                      .offset = chunk->offset,
                      .length = chunk->length};
    if (chunk->end)
        f.type = FRAME_STREAM_END;
    add(d, &f);
    if (chunk->length > 0)
        c->user->fill(c, s, chunk->offset, d->out + d->length, chunk->length);
    d->length += chunk->length;
    d->packet.chunk_count++;
    return true;
}

// Fills the datagram with bytes of streams. One stream after the other has its turn to come
// first; what fills a datagram alone is hurt alone when the datagram is lost.
static void add_chunks(struct connection *c, struct draft *d)
{
    uint8_t first = c->turn;
    for (int i = 0; i < STREAMS_MAX; i++) {
        uint8_t place = (uint8_t)((first + i) % STREAMS_MAX);
        struct stream *s = c->streams[place];
        while (s && add_chunk(c, d, s))
            if (d->packet.chunk_count == 1)
                c->turn = (uint8_t)((place + 1) % STREAMS_MAX);
    }
}

// ---- the next datagram ---------------------------------------------------------------------

// A first packet is large, so that the server may say three times as much; so are packets that
// try a path, so that large ones are known to get through (RFC 9000 §8.1, §8.2.1).
static void pad_if_asked(struct connection *c, struct draft *d)
{
    bool begins = c->state == CONNECTING && !c->is_server;
    if ((begins && d->packet.state == SENT_IN_FLIGHT) || c->pad_next)
        pad(d, DATAGRAM_MIN, c->key);
    c->pad_next = false;
}

static size_t send_close(struct connection *c, uint8_t *out, int64_t now)
{
    struct draft d;
    c->state = CLOSED;
    if (path_allows(&c->path) < DATAGRAM_MIN)
        return 0;
    begin_draft(c, &d, out, DATAGRAM_MIN);
    add(&d, &(struct frame){.type = FRAME_CLOSE,
                            .code = c->close_code,
                            .data = (const uint8_t *)c->reason,
                            .length = strlen(c->reason)});
    return finish(c, &d, &c->path, now);
}

static size_t send_old_challenge(struct connection *c, uint8_t *out, int64_t now)
{
    struct draft d;
    c->old_path.challenge_due = false;
    begin_draft(c, &d, out, DATAGRAM_MIN);
    add(&d, &(struct frame){.type = FRAME_PATH_CHALLENGE, .data = c->old_path.challenge});
    pad(&d, DATAGRAM_MIN, c->key);
    d.packet.state = SENT_NOTHING; // its loss says nothing about the path in use
    return finish(c, &d, &c->old_path, now);
}

// Tries the largest datagram there can be: if it is acknowledged, all may be as large.
static size_t send_size_probe(struct connection *c, uint8_t *out, int64_t now)
{
    struct draft d;
    size_t most = DATAGRAM_MAX;
    if (c->path.address.ss_family == AF_INET6)
        most -= 20;
    c->size_probe_due = false;
    c->size_probes_left--;
    begin_draft(c, &d, out, most);
    add(&d, &(struct frame){.type = FRAME_PING});
    pad(&d, most, c->key);
    d.packet.is_size_probe = true;
    return finish(c, &d, &c->path, now);
}

size_t connection_send(struct connection *c, uint8_t *out, int64_t now,
                       struct sockaddr_storage *to)
{
    struct draft d;
    *to = c->path.address;
    if (c->state == CLOSED)
        return 0;
    if (c->state == CLOSING)
        return send_close(c, out, now);
    if (c->has_old_path && c->old_path.challenge_due) {
        *to = c->old_path.address;
        return send_old_challenge(c, out, now);
    }
    size_t most = smaller(c->recovery.datagram_bytes, path_allows(&c->path));
    if (most < DATAGRAM_LEAST) {
        c->ack_due_ns = NEVER; // until more has come from there
        return 0;
    }
    uint64_t allowed = recovery_allows(&c->recovery);
    if (c->size_probe_due && c->path.validated && allowed >= DATAGRAM_MAX && c->state == OPEN)
        return send_size_probe(c, out, now);
    begin_draft(c, &d, out, most);
    bool ack_due = now >= c->ack_due_ns;
    if (ack_due || c->ack_pending > 0)
        add_ack(c, &d, now);
    add_path_frames(c, &d);
    add_windows(c, &d);
    if (allowed >= most && (c->path.validated || c->state == CONNECTING))
        add_chunks(c, &d); // a new address gets no bytes of streams until it has answered
    c->recovery.limited_by_program = allowed >= most && d.packet.chunk_count == 0;
    if (c->ping_due && d.packet.state == SENT_NOTHING &&
        add(&d, &(struct frame){.type = FRAME_PING})) {
        d.packet.says |= SAYS_PING;
        c->pad_next = !c->is_server; // the client may be at a new address
    }
    if (d.packet.state == SENT_IN_FLIGHT)
        c->ping_due = false;
    else if (!ack_due) {
        if (d.has_ack && c->ack_due_ns == NEVER) { // the ACK can wait
            c->ack_pending = 1;
            c->ack_due_ns = c->largest_ns + MAX_ACK_DELAY_NS;
        }
        return 0;
    }
    pad_if_asked(c, &d);
    return finish(c, &d, &c->path, now);
}
