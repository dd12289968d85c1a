// upstream_h2.c: see upstream.h. The proxy as a client of a backend, over HTTP/2: one
// connection, and a stream for each exchange. Read open_stream() first, then take_answer() and
// send_request().
#include "log.h"
#include "settings.h"
#include "upstream.h"

#define SETTINGS_MS 5000 // until the backend has to have said its first SETTINGS

static struct exchange *exchange_of(const struct stream *stream)
{
    return stream->answer.owner;
}

// ---- the request ---------------------------------------------------------------------------

// Opens a stream for an exchange, and sends the request's head at once: the numbers of streams
// have to go up on the wire, too (RFC 9113 §5.1.1). False: not now.
static bool open_stream(struct upstream *up)
{
    struct transport *t = &up->transport;
    const struct exchange *first = up->backend->first;
    const struct fields *head = first->request;
    bool ends = first->up.ended && first->up.content.length == 0 && !first->up.trailers;
    if (transport_room(t) <
        FRAME_HEADER_BYTES + hpack_bound(head->list, head->count) + TRANSPORT_ROOM)
        return false;
    struct stream *stream = transport_open(t);
    if (!stream)
        return false;
    struct exchange *x = upstream_take(up);
    x->upstream_stream = stream;
    stream->answer.owner = x;
    transport_put_headers(t, stream, head->list, head->count, ends);
    x->up.head_sent = true;
    x->up.done = ends;
    if (!ends)
        transport_wants_to_send(t, stream);
    return true;
}

static enum transport_turn send_request(struct transport *t, struct stream *stream)
{
    struct exchange *x = exchange_of(stream);
    if (transport_room(t) < 2 * TRANSPORT_ROOM)
        return TURN_NO_ROOM;
    if (x->cancelled) {
        transport_reset(t, stream, x->cancel_code);
        exchange_backend_done(x);
        return TURN_WAITS;
    }
    if (!flow_give_back(&x->down, t, stream))
        return TURN_NO_ROOM;
    uint64_t before = x->up.passed;
    enum transport_turn turn = flow_send(&x->up, t, stream);
    if (x->up.passed > before)
        x->moved_ns = t->now_ns;
    if (x->up.owed >= OWED_LEAST)
        exchange_wake_client(x);
    return turn;
}

// ---- the answer ----------------------------------------------------------------------------

// The answer is whole. What is left of the request is not sent any more.
static void finish(struct transport *t, struct stream *stream)
{
    struct exchange *x = exchange_of(stream);
    x->down.ended = true;
    transport_close(t, stream, CANCEL);
    exchange_backend_done(x);
}

static struct fault take_trailers(struct transport *t, struct stream *stream,
                                  const struct hpack_list *list, bool ends)
{
    struct exchange *x = exchange_of(stream);
    const char *wrong = transport_read_trailers(list, ends);
    if (wrong)
        return stream_fault(PROTOCOL_ERROR, wrong);
    if (!flow_trailers(&x->down, fields_of_trailers(list)))
        return stream_fault(INTERNAL_ERROR, "no memory for trailers");
    finish(t, stream);
    return fault_none();
}

// How long the content has to be. RFC 9110 §8.6: the field of an answer without content speaks
// of another answer's content.
static struct fault set_length(struct stream *stream, const struct exchange *x,
                               const struct response_head *head, bool ends)
{
    bool no_content = x->head || head->status == 204 || head->status == 304;
    stream->content_length = head->content_length;
    if (no_content)
        stream->content_length = 0;
    if (ends && stream->content_length > 0)
        return stream_fault(PROTOCOL_ERROR, "less content than content-length says");
    return fault_none();
}

static struct fault take_answer(struct transport *t, struct stream *stream,
                                const struct hpack_list *list, bool ends)
{
    struct exchange *x = exchange_of(stream);
    struct response_head head;
    x->moved_ns = t->now_ns;
    if (x->cancelled)
        return fault_none();
    if (x->down.final_head)
        return take_trailers(t, stream, list, ends);
    const char *wrong = transport_read_answer(list, ends, &head);
    if (wrong)
        return stream_fault(PROTOCOL_ERROR, wrong);
    const char *told = settings.tell ? x->backend->name : NULL;
    if (!flow_head(&x->down, fields_of_answer(list, head.status, told)))
        return stream_fault(PROTOCOL_ERROR, "too many heads, or no memory for one");
    exchange_wake_client(x);
    if (head.status < 200)
        return fault_none();
    stream->answer.status = head.status; // now DATA may come
    pace_begin(&x->pace, t->now_ns);
    struct fault fault = set_length(stream, x, &head, ends);
    if (!fault.scope && ends)
        finish(t, stream);
    return fault;
}

static struct fault take_data(struct transport *t, struct stream *stream, const uint8_t *bytes,
                              uint32_t length, bool ends)
{
    struct exchange *x = exchange_of(stream);
    x->moved_ns = t->now_ns;
    if (x->cancelled)
        return fault_none();
    if (x->down.content.length == 0)
        pace_begin(&x->pace, t->now_ns);
    if (!flow_add(&x->down, bytes, length))
        return stream_fault(INTERNAL_ERROR, "no memory for what has come");
    exchange_wake_client(x);
    if (ends)
        finish(t, stream);
    return fault_none();
}

static void broken(struct transport *t, struct stream *stream, enum error_code code)
{
    if (t->gone)
        code = CONNECTION_LOST;
    exchange_backend_broken(exchange_of(stream), code, t->now_ns);
}

static const struct transport_user user = {
    .headers = take_answer, .data = take_data, .broken = broken, .send = send_request};

// ---- what the loop calls -------------------------------------------------------------------

static struct transport *begin_round(struct upstream *up)
{
    struct transport *t = &up->transport;
    transport_lend(t, conn_now(&up->conn), conn_space(&up->conn), conn_room(&up->conn));
    return t;
}

static void end_round(struct upstream *up)
{
    struct transport *t = &up->transport;
    struct backend *backend = up->backend;
    conn_wrote(&up->conn, t->out_length);
    t->out_length = 0;
    if ((t->went_away || t->closing) && backend->current == up) {
        backend->current = NULL; // the next request gets a new connection
        if (backend->first)
            upstream_serve(backend, t->now_ns);
    }
    if (t->fault.scope)
        log_line("%s: %s", backend->name, t->fault.why);
    if (t->closing) // GOAWAY is sent, and no request waits for the backend any longer
        up->conn.broken = true;
    else if (t->went_away && t->streams.count == 0)
        conn_close(&up->conn);
    if (upstream_is_over(up))
        up->conn.broken = true;
    if (t->state == TRANSPORT_OPEN)
        conn_deadline(&up->conn, NEVER);
}

void h2_begin(struct upstream *up)
{
    begin_round(up);
    transport_begin(&up->transport, &user, true, (uint32_t)settings.streams);
    conn_deadline(&up->conn, SETTINGS_MS);
    end_round(up);
}

size_t h2_received(struct upstream *up, const char *bytes, size_t length)
{
    struct transport *t = begin_round(up);
    size_t used = length;
    if (t->user)
        used = transport_take(t, (const uint8_t *)bytes, length);
    end_round(up);
    return used;
}

bool h2_produce(struct upstream *up)
{
    struct transport *t = begin_round(up);
    while (up->backend->first && up->backend->current == up && open_stream(up))
        ;
    bool sent = transport_send(t) || t->out_length > 0;
    end_round(up);
    return sent;
}

void h2_closed(struct upstream *up)
{
    struct transport *t = begin_round(up);
    if (t->streams.count > 0)
        log_line("%s: lost with %u requests", up->backend->name, t->streams.count);
    up->backend->lost += t->streams.count;
    if (t->state < TRANSPORT_OPEN) // it does not speak HTTP/2
        up->backend->down_until_ns = t->now_ns + BACKEND_DOWN_MS * INT64_C(1000000);
    if (t->user)
        transport_end(t);
}
