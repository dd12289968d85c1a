// connection.c: see connection.h. Read connection_begin() first, then the frames that are about
// the connection. It ends by an error, by a deadline, or because the server stops.
#include "connection.h"

#include "frame_names.h"
#include "log.h"
#include "request.h"
#include "response.h"
#include "smaller.h"

#define STOP_MS 1000 // when the server stops: for requests that are on their way

// ---- the beginning -------------------------------------------------------------------------

void connection_begin(struct connection *c)
{
    struct setting settings[] = {
        {SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)c->service->streams_max},
        {SETTINGS_MAX_HEADER_LIST_SIZE, HPACK_LIST_MAX},
        {SETTINGS_HEADER_TABLE_SIZE, (uint32_t)c->service->table_bytes}};
    uint32_t count = 3;
    if (c->service->table_bytes == TABLE_SIZE_DEFAULT)
        count = 2; // the last one is the default
    c->state = CONNECTION_PREFACE;
    c->idle_ns = conn_now(&c->conn);
    budget_begin(&c->budget, c->idle_ns);
    streams_begin(&c->streams);
    hpack_decoder_begin(&c->decoder);
    hpack_encoder_begin(&c->encoder);
    connection_wrote(c, frame_put_settings(connection_space(c), settings, count));
}

void connection_free(struct connection *c)
{
    streams_close_all(&c->streams);
    hpack_table_free(&c->decoder.table);
    hpack_table_free(&c->encoder.table);
}

// ---- frames about the connection -----------------------------------------------------------

struct fault connection_settings(struct connection *c, const struct frame *frame)
{
    if (frame->flags & FLAG_ACK) {
        if (!c->settings_acked)
            hpack_decoder_limit(&c->decoder, (uint32_t)c->service->table_bytes);
        c->settings_acked = true;
        return fault_none();
    }
    for (uint32_t i = 0; i < frame->length / SETTING_BYTES; i++) {
        struct setting setting = frame_setting(frame, i);
        struct fault fault = fault_none();
        if (setting.id == SETTINGS_HEADER_TABLE_SIZE)
            hpack_encoder_limit(&c->encoder, setting.value);
        else if (setting.id == SETTINGS_INITIAL_WINDOW_SIZE)
            fault = streams_resize(&c->streams, setting.value);
        if (fault.scope)
            return fault;
    }
    for (struct stream *stream = c->streams.first; stream; stream = stream->next)
        response_resume(c, stream); // its window may be larger now
    connection_wrote(c, frame_put_settings_ack(connection_space(c)));
    return fault_none();
}

// What waits for the connection's window alone has never left the ring, so response_resume() is
// for a stream only.
struct fault connection_widen(struct connection *c, struct stream *stream,
                              const struct frame *frame)
{
    uint32_t increment = frame_read_u32(frame->payload) & WINDOW_MAX;
    if (frame->stream && !stream)
        return fault_none(); // the stream was closed meanwhile (§5.1)
    struct fault fault = streams_widen(&c->streams, stream, increment);
    if (!fault.scope && stream)
        response_resume(c, stream);
    return fault;
}

struct fault connection_ping(struct connection *c, const struct frame *frame)
{
    if (!(frame->flags & FLAG_ACK))
        connection_wrote(c, frame_put_ping(connection_space(c), FLAG_ACK, frame->payload));
    else if (c->state == CONNECTION_STOPPING)
        c->leave_ns = conn_now(&c->conn); // the client has seen GOAWAY: see connection_stop()
    return fault_none();
}

// ---- errors --------------------------------------------------------------------------------

static void go_away(struct connection *c, uint32_t last, enum error_code code, const char *why)
{
    log_line("GOAWAY last stream %u %s: %s", last, error_code_name(code), why);
    connection_wrote(c, frame_put_goaway(connection_space(c), last, code, why));
}

void connection_fail(struct connection *c, struct fault fault)
{
    go_away(c, c->last_taken, fault.code, fault.why);
    conn_close(&c->conn);
}

void connection_reset(struct connection *c, uint32_t id, struct fault fault)
{
    if (stream_is_idle(&c->streams, id))
        connection_fail(c, fault);
    else if (!budget_spend(&c->budget, conn_now(&c->conn), COST_OF_RESET))
        connection_fail(c, connection_fault(ENHANCE_YOUR_CALM, "too many faulty requests"));
    else
        response_reset(c, id, fault);
}

// ---- a stop --------------------------------------------------------------------------------

// Requests may be on their way. So the first GOAWAY names the highest stream number that there
// is, and a PING follows. When the client has answered the PING, or after STOP_MS, the second
// GOAWAY names the last stream that the server has taken (§6.8).
void connection_stop(struct connection *c)
{
    static const uint8_t opaque[8] = "stopping";
    if (c->state >= CONNECTION_STOPPING)
        return;
    go_away(c, STREAM_ID_MAX, NO_ERROR, "the server stops");
    connection_wrote(c, frame_put_ping(connection_space(c), 0, opaque));
    c->state = CONNECTION_STOPPING;
    c->leave_ns = conn_now(&c->conn) + STOP_MS * NS_PER_MS;
}

// ---- deadlines -----------------------------------------------------------------------------

// Returns when the connection ends if nothing changes, and sets *why.
static int64_t end_ns(struct connection *c, struct fault *why)
{
    bool waits = c->streams.count > c->timed; // some requests wait for their client
    if (waits && !c->paced)
        pace_begin(&c->pace, conn_now(&c->conn));
    c->paced = waits;
    *why = connection_fault(ENHANCE_YOUR_CALM, "requests that do not move");
    if (waits)
        return c->pace.paid_ns + c->service->stall_ms * NS_PER_MS;
    *why = connection_fault(NO_ERROR, "idle");
    if (c->streams.count)
        return NEVER;
    return c->idle_ns + c->service->idle_ms * NS_PER_MS;
}

void connection_update(struct connection *c)
{
    int64_t now_ns = conn_now(&c->conn);
    struct fault why;
    if (c->state == CONNECTION_STOPPING && now_ns >= c->leave_ns) {
        go_away(c, c->last_taken, NO_ERROR, "the server stops");
        c->state = CONNECTION_LEAVING;
    }
    if (c->state == CONNECTION_LEAVING && c->streams.count == 0)
        conn_close(&c->conn);
    int64_t due_ns = earlier(response_due_ns(c), end_ns(c, &why));
    due_ns = earlier(due_ns, request_due_ns(c));
    if (c->state == CONNECTION_STOPPING)
        due_ns = earlier(due_ns, c->leave_ns);
    if (due_ns == NEVER)
        conn_deadline(&c->conn, NEVER);
    else
        conn_deadline(&c->conn, (due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

void connection_expire(struct connection *c)
{
    struct fault why = connection_fault(PROTOCOL_ERROR, "no preface in time");
    struct fault too_slow = stream_fault(ENHANCE_YOUR_CALM, "a body that others wait for");
    if (c->state == CONNECTION_PREFACE)
        connection_fail(c, why);
    else if (request_too_slow(c))
        connection_reset(c, request_too_slow(c), too_slow);
    else if (end_ns(c, &why) <= conn_now(&c->conn))
        connection_fail(c, why);
}
