// receive.c: what a connection makes of a datagram that has come: see connection_receive(), at
// the end.
#include <stdio.h>
#include <string.h>

#include "connection.h"
#include "datagram.h"
#include "net.h"
#include "timers.h"

#define ACK_EVERY 2 // packets (RFC 9000 §13.2.2)

// ---- streams and windows -------------------------------------------------------------------

// The stream of a frame. NULL: there can be none, and the connection is being closed.
static struct stream *find_stream(struct connection *c, uint64_t id)
{
    if (id % 4 != 0 || id / 4 >= STREAMS_MAX) {
        connection_close(c, STREAM_LIMIT_ERROR, "there can be no stream of this number");
        return NULL;
    }
    struct stream *s = c->streams[id / 4];
    if (!s && !c->is_server)
        connection_close(c, PROTOCOL_VIOLATION, "a stream that the client did not open");
    else if (!s && !(s = connection_add_stream(c, (uint8_t)(id / 4))))
        connection_close(c, CONNECTION_REFUSED, "no memory for the stream");
    return s;
}

// Counts bytes up to `top` of a stream against the window of the connection.
static bool count_bytes(struct connection *c, uint64_t before, uint64_t top)
{
    if (top > before)
        c->in_total += top - before;
    if (c->in_total > c->in_max)
        connection_close(c, FLOW_CONTROL_ERROR, "more than the connection's window");
    return c->state < CLOSING;
}

static void took(struct connection *c, uint64_t length)
{
    c->in_taken += length;
    if (c->in_max - c->in_taken < c->window / 2) {
        c->in_max = c->in_taken + c->window;
        c->max_data_due = true;
    }
}

// Gives the program what is next in order.
static void deliver(struct connection *c, struct stream *s)
{
    const uint8_t *bytes;
    size_t length;
    while (!s->in_over && (length = stream_readable(s, &bytes)) > 0) {
        c->user->arrived(c, s, bytes, length, false);
        stream_take(s, length);
        took(c, length);
    }
    if (!s->in_over && s->in_next == s->in_size) {
        s->in_over = true;
        s->window_due = false;
        c->user->arrived(c, s, NULL, 0, true);
    }
}

// False: no memory: the packet counts as lost.
static bool take_stream(struct connection *c, const struct frame *f, int64_t now)
{
    struct stream *s = find_stream(c, f->stream);
    if (!s)
        return true;
    uint64_t before = s->in_top;
    int error = stream_receive(s, f, now);
    if (error < 0)
        return false;
    if (error > 0) {
        connection_close(c, (uint64_t)error, "bytes beyond a stream's window or end");
        return true;
    }
    if (count_bytes(c, before, s->in_top))
        deliver(c, s);
    return true;
}

static void take_reset(struct connection *c, const struct frame *f)
{
    struct stream *s = find_stream(c, f->stream);
    if (!s || s->in_over)
        return;
    if (f->value < s->in_top || f->value > s->in_max) {
        connection_close(c, FINAL_SIZE_ERROR, "a stream that was reset has another end");
        return;
    }
    if (!count_bytes(c, s->in_top, f->value))
        return;
    took(c, f->value - s->in_next);
    s->in_over = true;
    s->window_due = false;
    if (c->user->was_reset)
        c->user->was_reset(c, s, f->code);
}

static void take_window(struct connection *c, const struct frame *f)
{
    if (f->type == FRAME_MAX_DATA) {
        if (f->value > c->out_max) {
            c->credit += f->value - c->out_max;
            c->out_max = f->value;
        }
        return;
    }
    struct stream *s = find_stream(c, f->stream);
    if (s && f->value > s->out_max)
        s->out_max = f->value;
}

// ---- paths ---------------------------------------------------------------------------------

// The newest packet has come from another address. The server goes on there, carefully, and
// asks both addresses whether somebody is there (RFC 9000 §9.3).
static void follow(struct connection *c, const struct sockaddr_storage *from, size_t length,
                   int64_t now)
{
    char name[NET_NAME];
    int64_t pto = recovery_pto_ns(&c->recovery);
    if (!address_is_host(from, &c->path.address))
        recovery_forget_path(&c->recovery);
    if (c->has_old_path && address_is(from, &c->old_path.address)) {
        c->path = c->old_path;
        c->has_old_path = false;
        connection_tell(c, "back to %s", net_name(from, name));
        return;
    }
    if (c->path.validated) {
        c->old_path = c->path;
        c->has_old_path = true;
        path_challenge(&c->old_path, pto, now);
    }
    c->path = (struct path){.address = *from, .received = length, .validated = false};
    path_challenge(&c->path, pto, now);
    connection_tell(c, "the client is at %s now? a challenge", net_name(from, name));
}

static void take_response(struct connection *c, const struct frame *f)
{
    if (path_answered(&c->path, f->data)) {
        c->has_old_path = false;
        connection_tell(c, "the answer to the challenge: the path is good");
    } else if (c->has_old_path) {
        path_answered(&c->old_path, f->data);
    }
}

// ---- what comes ----------------------------------------------------------------------------

static void take_close(struct connection *c, const struct frame *f)
{
    int length = (int)f->length;
    if (length >= REASON_MAX)
        length = REASON_MAX - 1;
    snprintf(c->reason, sizeof c->reason, "%.*s", length, (const char *)f->data);
    c->close_code = f->code;
    c->closed_by_peer = true;
    c->state = CLOSED;
}

static bool take_frame(struct connection *c, const struct frame *f, int64_t now)
{
    switch (f->type) {
    case FRAME_ACK:
        if (!recovery_ack(&c->recovery, f, now))
            connection_close(c, PROTOCOL_VIOLATION, "an ACK of a packet that was never sent");
        return true;
    case FRAME_STREAM:
    case FRAME_STREAM_END:
        return take_stream(c, f, now);
    case FRAME_RESET_STREAM:
        take_reset(c, f);
        return true;
    case FRAME_MAX_DATA:
    case FRAME_MAX_STREAM_DATA:
        take_window(c, f);
        return true;
    case FRAME_PATH_CHALLENGE:
        memcpy(c->response, f->data, CHALLENGE_BYTES);
        c->response_due = true;
        return true;
    case FRAME_PATH_RESPONSE:
        take_response(c, f);
        return true;
    case FRAME_CLOSE:
        take_close(c, f);
        return true;
    default:
        return true;
    }
}

// Looks at all frames before one of them is taken. Returns false if one is malformed.
static bool look(const uint8_t *frames, size_t length, bool *asks_for_ack, bool *only_probes)
{
    struct frame f;
    *asks_for_ack = false;
    *only_probes = true;
    for (size_t at = 0; at < length;) {
        ssize_t used = frame_read(frames + at, length - at, &f);
        if (used < 0)
            return false;
        at += (size_t)used;
        if (f.type != FRAME_ACK && f.type != FRAME_PADDING && f.type != FRAME_CLOSE)
            *asks_for_ack = true;
        if (f.type != FRAME_PATH_CHALLENGE && f.type != FRAME_PATH_RESPONSE &&
            f.type != FRAME_PADDING)
            *only_probes = false; // RFC 9000 §9.1
    }
    return length > 0;
}

static bool is_duplicate(const struct connection *c, uint64_t number)
{
    return number < c->received_below || ranges_has(&c->received, number);
}

// Notes the number of a packet, so that it is acknowledged, and not taken again.
static void note_number(struct connection *c, uint64_t number, bool asks_for_ack, int64_t now)
{
    bool in_order = number == c->largest + 1; // UINT64_MAX + 1 is 0
    if (!ranges_add(&c->received, number, number + 1))
        return;
    ranges_keep_highest(&c->received, ACK_RANGES_MAX);
    if (c->received.count == ACK_RANGES_MAX)
        c->received_below = c->received.list[0].from;
    if (c->largest == UINT64_MAX || number > c->largest) {
        c->largest = number;
        c->largest_ns = now;
    }
    if (!asks_for_ack)
        return;
    c->ack_pending++;
    int64_t due = now + MAX_ACK_DELAY_NS;
    if (c->ack_pending >= ACK_EVERY || !in_order || c->state == CONNECTING)
        due = now;
    if (due < c->ack_due_ns)
        c->ack_due_ns = due;
}

// The first packet from the other end: now both know each other.
static void opened(struct connection *c, const struct header *header)
{
    c->state = OPEN;
    c->knows_peer = true;
    if (c->is_server) { // it came to an id that only the client knows: nobody forged its
                        // address
        c->path.validated = true;
        c->size_probes_left = SIZE_PROBES;
        c->size_probe_due = true;
    } else {
        memcpy(c->peer_id, header->from, ID_BYTES);
        c->ping_due = true;
    }
}

// The server wants the first packet again, with its token. Only once, and only at first:
// anybody can write such a packet.
static void take_retry(struct connection *c, const struct header *header)
{
    if (c->is_server || c->state != CONNECTING || c->token_length > 0 ||
        header->token_length == 0)
        return;
    memcpy(c->peer_id, header->from, ID_BYTES);
    memcpy(c->token, header->token, header->token_length);
    c->token_length = header->token_length;
    recovery_restart(&c->recovery);
    connection_tell(c, "the server wants to see that I am here: again, with its token");
}

void connection_receive(struct connection *c, const struct header *header,
                        const uint8_t *frames, size_t length, size_t datagram_length,
                        const struct sockaddr_storage *from, int64_t now)
{
    bool asks_for_ack, only_probes, complete = true;
    if (c->state >= CLOSING)
        return;
    if (header->type == PACKET_RETRY)
        take_retry(c, header);
    if (header->type == PACKET_RETRY || header->type > PACKET_SHORT ||
        (header->type == PACKET_SHORT && c->state == CONNECTING && !c->is_server))
        return;
    bool same_address = address_is(from, &c->path.address);
    if (!same_address && (!c->is_server || c->state == CONNECTING))
        return;
    if (same_address)
        c->path.received += datagram_length;
    if (is_duplicate(c, header->number)) {
        c->duplicates++;
        if (c->ack_pending == 0 && c->largest != UINT64_MAX)
            c->ack_due_ns = now; // perhaps the ACK was lost
        return;
    }
    if (!look(frames, length, &asks_for_ack, &only_probes)) {
        connection_close(c, FRAME_ENCODING_ERROR, "a malformed frame");
        return;
    }
    bool newest = c->largest == UINT64_MAX || header->number > c->largest;
    c->heard_ns = now;
    c->packets_in++;
    if (c->state == CONNECTING && (!c->is_server || header->type == PACKET_SHORT))
        opened(c, header);
    for (size_t at = 0; at < length && complete && c->state < CLOSING;) {
        struct frame f;
        at += (size_t)frame_read(frames + at, length - at, &f);
        complete = take_frame(c, &f, now);
    }
    if (!complete || c->state >= CLOSING)
        return;
    note_number(c, header->number, asks_for_ack, now);
    if (!same_address && newest && !only_probes)
        follow(c, from, datagram_length, now);
}
