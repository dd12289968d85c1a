// connection.c: how a connection begins and ends, its streams, and what it does when time has
// passed. What it makes of the datagrams that come is in receive.c, what it sends in send.c.
#include "connection.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "smaller.h"
#include "timers.h"

void connection_tell(struct connection *c, const char *format, ...)
{
    char text[200];
    if (!c->user->told)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    c->user->told(c, text);
}

// ---- beginning and end ---------------------------------------------------------------------

static void packet_acked(void *context, const struct sent_packet *packet)
{
    struct connection *c = context;
    if (packet->is_size_probe && packet->bytes > c->recovery.datagram_bytes) {
        c->recovery.datagram_bytes = packet->bytes;
        c->size_probes_left = 0;
        connection_tell(c, "%d bytes fit into a datagram", packet->bytes);
    }
}

static void packet_lost(void *context, const struct sent_packet *packet)
{
    struct connection *c = context;
    for (int i = 0; i < packet->chunk_count; i++)
        stream_lost(c->streams[packet->chunks[i].stream], &packet->chunks[i]);
    if (packet->says & SAYS_MAX_DATA)
        c->max_data_due = true;
    if (packet->says & SAYS_PING)
        c->ping_due = true;
    for (int i = 0; i < STREAMS_MAX; i++) {
        struct stream *s = c->streams[i];
        if (s && packet->says & SAYS_MAX_STREAM_DATA && !s->in_over)
            s->window_due = true;
        if (s && packet->says & SAYS_RESET && s->reset)
            s->reset_due = true;
    }
    if (packet->is_size_probe && c->size_probes_left > 0)
        c->size_probe_due = true;
}

bool connection_begin(struct connection *c, const struct connection_user *user,
                      const uint8_t id[ID_BYTES], const uint8_t peer_id[ID_BYTES],
                      const struct sockaddr_storage *peer, int64_t now)
{
    *c = (struct connection){.user = user,
                             .largest = UINT64_MAX,
                             .ack_due_ns = NEVER,
                             .began_ns = now,
                             .heard_ns = now,
                             .credit = STREAMS_MAX * REQUEST_WINDOW,
                             .out_max = STREAMS_MAX * REQUEST_WINDOW,
                             .window = CONNECTION_WINDOW,
                             .in_max = CONNECTION_WINDOW,
                             .stream_window = STREAM_WINDOW,
                             .path = {.address = *peer, .validated = true}};
    memcpy(c->id, id, ID_BYTES);
    memcpy(c->peer_id, peer_id, ID_BYTES);
    if (!recovery_begin(&c->recovery))
        return false;
    c->recovery.acked = packet_acked;
    c->recovery.lost = packet_lost;
    c->recovery.context = c;
    return true;
}

bool connection_accept(struct connection *c, const struct connection_user *user,
                       const uint8_t id[ID_BYTES], const struct header *first,
                       const struct sockaddr_storage *peer, bool validated, int64_t now)
{
    if (!connection_begin(c, user, id, first->from, peer, now))
        return false;
    c->is_server = true;
    c->credit = c->out_max = CONNECTION_WINDOW;
    c->window = c->in_max = STREAMS_MAX * REQUEST_WINDOW;
    c->stream_window = REQUEST_WINDOW;
    c->path.validated = validated;
    memcpy(c->original_id, first->to, ID_BYTES);
    return true;
}

void connection_end(struct connection *c)
{
    recovery_end(&c->recovery);
    ranges_free(&c->received);
    for (int i = 0; i < STREAMS_MAX; i++) {
        if (c->streams[i])
            stream_end(c->streams[i]);
        free(c->streams[i]);
        c->streams[i] = NULL;
    }
}

void connection_close(struct connection *c, uint64_t code, const char *reason)
{
    if (c->state >= CLOSING)
        return;
    c->state = CLOSING;
    c->close_code = code;
    snprintf(c->reason, sizeof c->reason, "%s", reason);
}

// ---- streams -------------------------------------------------------------------------------

struct stream *connection_add_stream(struct connection *c, uint8_t place)
{
    struct stream *s = malloc(sizeof *s);
    if (!s || !stream_begin(s, 4u * place, place, c->stream_window)) {
        free(s);
        return NULL;
    }
    s->out_max = REQUEST_WINDOW;
    if (c->is_server)
        s->out_max = STREAM_WINDOW;
    else
        s->window_due = c->stream_window > STREAM_WINDOW;
    c->streams[place] = s;
    return s;
}

struct stream *connection_open_stream(struct connection *c)
{
    for (uint8_t place = 0; place < STREAMS_MAX; place++)
        if (!c->streams[place])
            return connection_add_stream(c, place);
    return NULL;
}

void connection_offer(struct stream *s, uint64_t here, bool whole)
{
    s->out_here = here;
    s->out_whole = whole;
}

void connection_reset_stream(struct stream *s, uint64_t code)
{
    s->reset = s->reset_due = true;
    s->reset_code = code;
}

// ---- paths ---------------------------------------------------------------------------------

static void path_failed(struct connection *c)
{
    if (!c->has_old_path) {
        c->state = CLOSED;
        snprintf(c->reason, sizeof c->reason, "nobody is at the client's address");
        return;
    }
    c->path = c->old_path;
    c->path.challenging = c->path.challenge_due = false;
    c->has_old_path = false;
    connection_tell(c, "no answer to the challenge: back to the old path");
    recovery_forget_path(&c->recovery);
}

void connection_moved(struct connection *c)
{
    recovery_forget_path(&c->recovery);
    c->ping_due = true;
}

// ---- time ----------------------------------------------------------------------------------

static int64_t silence_ends_ns(const struct connection *c)
{
    if (c->state == CONNECTING)
        return c->began_ns + HANDSHAKE_NS;
    return c->heard_ns + IDLE_NS;
}

// A client that waits for bytes may have got another address from a NAT, and would not know.
static int64_t keep_alive_ns(const struct connection *c)
{
    if (c->is_server || c->state != OPEN)
        return NEVER;
    if (c->asked_ns > c->heard_ns)
        return c->asked_ns + KEEP_ALIVE_NS;
    return c->heard_ns + KEEP_ALIVE_NS;
}

int64_t connection_due_ns(const struct connection *c)
{
    int64_t due = earlier(recovery_due_ns(&c->recovery), c->ack_due_ns);
    due = earlier(due, path_due_ns(&c->path));
    if (c->has_old_path)
        due = earlier(due, path_due_ns(&c->old_path));
    due = earlier(due, keep_alive_ns(c));
    return earlier(due, silence_ends_ns(c));
}

void connection_expire(struct connection *c, int64_t now)
{
    if (now >= silence_ends_ns(c)) {
        c->state = CLOSED;
        snprintf(c->reason, sizeof c->reason, "nothing has come for %d s",
                 (int)((now - c->heard_ns) / 1000000000));
        return;
    }
    if (now >= recovery_due_ns(&c->recovery)) {
        recovery_expire(&c->recovery, now);
        if (c->recovery.probes > 0)
            c->ping_due = true; // a probe has to ask for an ACK, whatever else is in it
    }
    if (now >= keep_alive_ns(c)) {
        c->asked_ns = now;
        c->ping_due = true;
    }
    if (now >= path_due_ns(&c->path) && !path_expire(&c->path, now))
        path_failed(c);
    if (c->has_old_path && now >= path_due_ns(&c->old_path))
        path_expire(&c->old_path, now);
}
