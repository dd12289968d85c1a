// frontend.c: see frontend.h. Read take_request() first, then send_answer().
#include "frontend.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "settings.h"

#define FIRST_BYTES_MS 10000 // until a client has sent its preface and SETTINGS
#define CHECK_MS       250   // so often the exchanges of a connection are checked
#define DRAIN_MS       2000  // an early answer: the rest of its request is dropped so long
#define NS_PER_MS      INT64_C(1000000)

static struct exchange *exchange_of(const struct stream *stream)
{
    return stream->answer.owner;
}

// ---- the request ---------------------------------------------------------------------------

// The request is well-formed: it goes to a backend.
static void begin_request(struct frontend *frontend, struct exchange *x,
                          const struct hpack_list *list, const struct request *request)
{
    int status = fields_refuse(list, request);
    x->head = request->head;
    x->safe = x->head || http_is(request->method, "GET") || http_is(request->method, "OPTIONS");
    snprintf(x->line, sizeof x->line, "%.*s %.*s", (int)request->method.length,
             request->method.at, (int)request->path.length, request->path.at);
    if (status) {
        exchange_answer(x, status, "this proxy does not pass such requests on");
        return;
    }
    x->request = fields_of_request(list, request, frontend->client);
    if (!x->request) {
        exchange_answer(x, 503, "no memory for the request");
        return;
    }
    if (hpack_bound(x->request->list, x->request->count) > FRAME_SIZE_DEFAULT) {
        exchange_answer(x, 431, "the head is too long");
        return;
    }
    struct http_text type = fields_find(x->request, "content-type");
    x->patient = type.length >= 16 && !memcmp(type.at, "application/grpc", 16);
    x->deadline_ns = fields_deadline(x->request, x->moved_ns);
    exchange_dispatch(x, x->moved_ns);
}

// HEADERS on a new stream.
static struct fault take_request(struct transport *t, struct stream *stream,
                                 const struct hpack_list *list, bool ends)
{
    struct frontend *frontend =
        (struct frontend *)((char *)t - offsetof(struct frontend, transport));
    struct request request;
    const char *wrong = NULL;
    if (!list->too_long)
        wrong = request_read(list, &request);
    if (!wrong && !list->too_long && ends && request.content_length > 0)
        wrong = "less content than content-length says";
    if (wrong)
        return stream_fault(PROTOCOL_ERROR, wrong);
    struct exchange *x = exchange_begin(&frontend->conn, t, stream);
    if (!x)
        return stream_fault(REFUSED_STREAM, "no memory for a request");
    stream->answer.owner = x;
    x->up.ended = ends;
    if (list->too_long) {
        exchange_answer(x, 431, "the head is too long");
        return fault_none();
    }
    stream->content_length = request.content_length;
    begin_request(frontend, x, list, &request);
    return fault_none();
}

static struct fault take_headers(struct transport *t, struct stream *stream,
                                 const struct hpack_list *list, bool ends)
{
    struct exchange *x = exchange_of(stream);
    if (!x)
        return take_request(t, stream, list, ends);
    const char *wrong = transport_read_trailers(list, ends);
    if (!wrong && stream->content_length > stream->received)
        wrong = "less content than content-length says";
    if (wrong)
        return stream_fault(PROTOCOL_ERROR, wrong);
    if (!exchange_takes_request(x)) { // it is answered already
        exchange_wake_client(x);
        return fault_none();
    }
    if (!flow_trailers(&x->up, fields_of_trailers(list)))
        return stream_fault(INTERNAL_ERROR, "no memory for trailers");
    exchange_wake_backend(x);
    return fault_none();
}

static struct fault take_data(struct transport *t, struct stream *stream, const uint8_t *bytes,
                              uint32_t length, bool ends)
{
    struct exchange *x = exchange_of(stream);
    x->up.ended = ends;
    pace_move(&x->pace, t->now_ns, length);
    if (!exchange_takes_request(x)) { // it is answered already
        transport_used(t, stream, length);
        exchange_wake_client(x);
        return fault_none();
    }
    if (!flow_add(&x->up, bytes, length))
        return stream_fault(INTERNAL_ERROR, "no memory for what has come");
    exchange_wake_backend(x);
    return fault_none();
}

static void broken(struct transport *t, struct stream *stream, enum error_code code)
{
    (void)t;
    exchange_client_gone(exchange_of(stream), code);
}

// ---- the answer ----------------------------------------------------------------------------

static enum transport_turn send_answer(struct transport *t, struct stream *stream)
{
    struct exchange *x = exchange_of(stream);
    if (transport_room(t) < 2 * TRANSPORT_ROOM)
        return TURN_NO_ROOM;
    if (x->reset) {
        transport_reset(t, stream, x->reset_code);
        exchange_client_gone(x, CANCEL);
        return TURN_WAITS;
    }
    if (!flow_give_back(&x->up, t, stream))
        return TURN_NO_ROOM;
    uint64_t before = x->down.passed;
    enum transport_turn turn = flow_send(&x->down, t, stream);
    pace_move(&x->pace, t->now_ns, (uint32_t)(x->down.passed - before));
    if (x->down.done && stream->remote_ended) {
        transport_close(t, stream, NO_ERROR);
        exchange_client_gone(x, NO_ERROR);
    } else if (x->down.done && x->drain_end_ns == 0) {
        x->drain_end_ns = t->now_ns + DRAIN_MS * NS_PER_MS;
    } else if (x->down.owed >= OWED_LEAST) {
        exchange_wake_backend(x);
    }
    return turn;
}

static const struct transport_user user = {
    .headers = take_headers, .data = take_data, .broken = broken, .send = send_answer};

// ---- what the loop calls -------------------------------------------------------------------

static struct transport *begin_round(struct conn *conn)
{
    struct transport *t = &((struct frontend *)conn)->transport;
    transport_lend(t, conn_now(conn), conn_space(conn), conn_room(conn));
    return t;
}

// While there are exchanges, they are checked each CHECK_MS. Without one, the connection ends
// when it has been idle for long enough.
static void set_deadline(struct conn *conn, const struct transport *t)
{
    int64_t check_ns = t->now_ns + CHECK_MS * NS_PER_MS;
    int64_t idle_ns = t->quiet_ns + (settings.idle_ms + 2) * NS_PER_MS; // 2: rounded up
    bool busy = t->streams.count > 0 || t->state > TRANSPORT_OPEN;
    if (busy && conn->deadline_ns > check_ns)
        conn_deadline(conn, CHECK_MS);
    else if (!busy && conn->deadline_ns > idle_ns)
        conn_deadline(conn, settings.idle_ms - (t->now_ns - t->quiet_ns) / NS_PER_MS + 1);
}

static void end_round(struct conn *conn, struct transport *t)
{
    if (transport_room(t) >= TRANSPORT_ROOM)
        transport_stop_on(t);
    conn_wrote(conn, t->out_length);
    t->out_length = 0;
    if (t->closing)
        conn_close(conn);
    else if (t->state >= TRANSPORT_OPEN)
        set_deadline(conn, t);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct transport *t = begin_round(conn);
    if (!t->user)
        transport_begin(t, &user, false, (uint32_t)settings.streams);
    size_t used = transport_take(t, (const uint8_t *)bytes, length);
    end_round(conn, t);
    return used;
}

static bool produce(struct conn *conn)
{
    struct transport *t = begin_round(conn);
    if (!t->user)
        return false;
    bool sent = transport_send(t);
    end_round(conn, t);
    return sent;
}

// Each CHECK_MS; but FIRST_BYTES_MS after a beginning without a preface and SETTINGS.
static void timeout(struct conn *conn)
{
    struct transport *t = begin_round(conn);
    bool begun = t->user && t->state >= TRANSPORT_OPEN;
    bool idle = begun && t->streams.count == 0 &&
                t->now_ns - t->quiet_ns >= settings.idle_ms * NS_PER_MS;
    if (!t->user)
        t->closing = true;
    else if (!begun || idle)
        transport_fail(t, connection_fault(NO_ERROR, "nothing has come for too long"));
    struct stream *next = t->streams.first;
    for (struct stream *stream; (stream = next);) {
        next = stream->next;
        if (exchange_of(stream))
            exchange_check(exchange_of(stream), t->now_ns);
    }
    end_round(conn, t);
}

static void stop(struct conn *conn)
{
    struct transport *t = begin_round(conn);
    if (!t->user || t->state < TRANSPORT_OPEN)
        t->closing = true; // the client has not asked for anything yet
    else
        transport_stop(t);
    end_round(conn, t);
}

static void closed(struct conn *conn)
{
    struct transport *t = begin_round(conn);
    if (t->user)
        transport_end(t);
}

const struct loop_server frontend_calls = {.received = received,
                                           .produce = produce,
                                           .timeout = timeout,
                                           .stop = stop,
                                           .closed = closed};

void frontend_opened(struct frontend *frontend)
{
    char *colon;
    frontend->calls = &frontend_calls;
    net_peer_name(frontend->conn.fd, frontend->client);
    colon = strrchr(frontend->client, ':');
    if (colon)
        *colon = '\0';
    conn_deadline(&frontend->conn, FIRST_BYTES_MS);
}
