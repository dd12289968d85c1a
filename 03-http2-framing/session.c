// session.c: see session.h. Read session_received() first, then take_frame().
#include "session.h"

#include <string.h>

#include "exchange.h"
#include "log.h"

#define HEADER_BLOCK_MAX  32768 // bytes of a compressed header block, in all its frames
#define CONTINUATIONS_MAX 32    // frames of it, after the first (CVE-2024-27316)
#define ROOM              (2 * EXCHANGE_ROOM) // for output, without which no frame is looked at
#define NS_PER_MS         INT64_C(1000000)

// A connection's patience. A frame that takes the client a few bytes and moves no request on
// costs it some: 1, and a stream that is opened only to be reset, 4 (CVE-2023-44487). It comes
// back with time, and with the DATA that we send, since each may need a WINDOW_UPDATE or two.
// When it is used up, the connection is closed with ENHANCE_YOUR_CALM (§10.5).
#define PATIENCE_MAX     1000
#define PATIENCE_BACK_NS (5 * NS_PER_MS) // one comes back in so much time
#define RESET_COST       4

static uint8_t *space(const struct session *session)
{
    return (uint8_t *)conn_space(session->conn);
}

static void wrote(const struct session *session, const uint8_t *end)
{
    conn_wrote(session->conn, (size_t)(end - space(session)));
}

// ---- the ends ------------------------------------------------------------------------------

static void go_away(struct session *session, enum error_code code, const char *why)
{
    log_line("GOAWAY last stream %u %s: %s", session->last_taken, error_code_name(code), why);
    wrote(session, frame_put_goaway(space(session), session->last_taken, code, why));
    session->state = SESSION_LEAVING;
}

// A connection error (§5.4.1), or no error but the end.
static void fail(struct session *session, struct fault fault)
{
    go_away(session, fault.code, fault.why);
    conn_close(session->conn);
}

static struct fault spend(struct session *session, int32_t cost)
{
    int64_t back = (conn_now(session->conn) - session->patience_ns) / PATIENCE_BACK_NS;
    if (back > 0) {
        session->patience_ns = conn_now(session->conn);
        session->patience += back < PATIENCE_MAX ? (int32_t)back : PATIENCE_MAX;
    }
    if (session->patience > PATIENCE_MAX)
        session->patience = PATIENCE_MAX;
    session->patience -= cost;
    if (session->patience < 0)
        return connection_fault(ENHANCE_YOUR_CALM, "too many frames that lead to nothing");
    return fault_none();
}

// A stream error (§5.4.2). On a stream that was never opened there can be none.
static void reset(struct session *session, uint32_t id, struct fault fault)
{
    struct stream *stream = stream_find(&session->streams, id);
    struct fault costs = spend(session, RESET_COST);
    if (id % 2 == 0 || id > session->streams.last_id || costs.scope) {
        fail(session, costs.scope ? costs : fault);
        return;
    }
    log_line("RST_STREAM stream %u %s: %s", id, error_code_name(fault.code), fault.why);
    wrote(session, frame_put_rst_stream(space(session), id, fault.code));
    if (stream)
        exchange_close(session, stream, STREAM_RESET);
    else
        stream_refuse(&session->streams, id);
}

static void set_deadline(struct session *session)
{
    const struct service *service = session->service;
    int64_t due_ns = exchange_due_ns(session), now_ns = conn_now(session->conn), limit_ns;
    if (session->streams.count == 0)
        limit_ns = session->heard_ns + service->idle_ms * NS_PER_MS;
    else if (session->streams.count > session->timed) // some wait for the client, not for time
        limit_ns = session->progress_ns + service->stall_ms * NS_PER_MS;
    else
        limit_ns = NEVER;
    limit_ns = due_ns < limit_ns ? due_ns : limit_ns;
    conn_deadline(session->conn,
                  limit_ns == NEVER ? NEVER : (limit_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

// ---- frames of the connection --------------------------------------------------------------

static struct fault take_settings(struct session *session, const struct frame *frame)
{
    if (frame->flags & FLAG_ACK) {
        if (!session->settings_acked)
            hpack_decoder_limit(&session->decoder, (uint32_t)session->service->table_bytes);
        session->settings_acked = true;
        return fault_none();
    }
    for (uint32_t at = 0; at < frame->length; at += SETTING_BYTES) {
        struct setting setting = frame_setting(frame, at / SETTING_BYTES);
        struct fault fault = fault_none();
        if (setting.id == SETTINGS_HEADER_TABLE_SIZE)
            hpack_encoder_limit(&session->encoder, setting.value);
        else if (setting.id == SETTINGS_INITIAL_WINDOW_SIZE)
            fault = streams_resize(&session->streams, setting.value);
        if (fault.scope)
            return fault;
    }
    for (struct stream *stream = session->streams.first; stream; stream = stream->next)
        exchange_resume(session, stream);
    wrote(session, frame_put_settings_ack(space(session)));
    return fault_none();
}

static struct fault take_window_update(struct session *session, const struct frame *frame)
{
    uint32_t increment = frame_read_u32(frame->payload) & WINDOW_MAX;
    struct stream *stream = stream_find(&session->streams, frame->stream);
    if (frame->stream && !stream)
        return fault_none(); // closed meanwhile (§5.1)
    struct fault fault = streams_widen(&session->streams, stream, increment);
    if (!fault.scope && stream)
        exchange_resume(session, stream);
    return fault;
}

static struct fault take_reset(struct session *session, const struct frame *frame)
{
    struct stream *stream = stream_find(&session->streams, frame->stream);
    if (!stream)
        return fault_none();
    exchange_close(session, stream, STREAM_ENDED);
    return spend(session, RESET_COST - 1);
}

// Frames that need a stream which is, or was, open.
static bool is_idle(const struct session *session, uint32_t id)
{
    return id && (id % 2 == 0 || id > session->streams.last_id);
}

// Any frame but HEADERS and CONTINUATION.
static struct fault take_frame(struct session *session, const struct frame *frame)
{
    bool data = frame->type == FRAME_DATA;
    bool content = data && (frame->content_length || (frame->flags & FLAG_END_STREAM));
    struct fault fault = spend(session, content ? 0 : 1);
    if (fault.scope)
        return fault;
    if ((frame->type == FRAME_RST_STREAM || frame->type == FRAME_WINDOW_UPDATE) &&
        is_idle(session, frame->stream))
        return connection_fault(PROTOCOL_ERROR, "a frame on an idle stream");
    switch (frame->type) {
    case FRAME_DATA:
        return exchange_data(session, frame);
    case FRAME_RST_STREAM:
        return take_reset(session, frame);
    case FRAME_SETTINGS:
        return take_settings(session, frame);
    case FRAME_PUSH_PROMISE:
        return connection_fault(PROTOCOL_ERROR, "a client cannot push");
    case FRAME_PING:
        if (!(frame->flags & FLAG_ACK))
            wrote(session, frame_put_ping(space(session), FLAG_ACK, frame->payload));
        return fault_none();
    case FRAME_WINDOW_UPDATE:
        return take_window_update(session, frame);
    case FRAME_CONTINUATION:
        return connection_fault(PROTOCOL_ERROR, "CONTINUATION without HEADERS");
    default: // PRIORITY is deprecated (§5.3.2); a client's GOAWAY changes nothing for us, which
             // push no streams; types that are unknown are ignored (§5.5)
        return fault_none();
    }
}

// ---- header blocks -------------------------------------------------------------------------

// Joins the content of a HEADERS frame and of the CONTINUATION frames behind it, which stand
// within `length` bytes (§4.3: nothing may come between). Sets *used to the bytes of them all,
// or to 0 if some have to come: the block waits in the connection's input until it is whole.
static struct fault join_block(const uint8_t *bytes, size_t length, struct frame *frame,
                               size_t *used)
{
    static uint8_t joined[HEADER_BLOCK_MAX];
    size_t at = FRAME_HEADER_BYTES + frame->length;
    struct frame next = *frame;
    *used = 0;
    for (int count = 0; !(next.flags & FLAG_END_HEADERS); count++) {
        if (count == 0)
            memcpy(joined, frame->content, frame->content_length);
        if (count == CONTINUATIONS_MAX)
            return connection_fault(ENHANCE_YOUR_CALM, "too many CONTINUATION frames");
        if (length - at < FRAME_HEADER_BYTES)
            return fault_none();
        frame_read_header(bytes + at, &next);
        if (next.type != FRAME_CONTINUATION || next.stream != frame->stream)
            return connection_fault(PROTOCOL_ERROR, "a frame in the middle of a header block");
        struct fault fault = frame_check_length(&next, FRAME_SIZE_DEFAULT);
        if (fault.scope)
            return fault;
        if (next.length > HEADER_BLOCK_MAX - frame->content_length)
            return connection_fault(ENHANCE_YOUR_CALM, "a header block that is too long");
        if (length - at - FRAME_HEADER_BYTES < next.length)
            return fault_none();
        memcpy(joined + frame->content_length, next.payload, next.length);
        frame->content = joined;
        frame->content_length += next.length;
        at += FRAME_HEADER_BYTES + next.length;
    }
    *used = at;
    return fault_none();
}

// The block is decoded whatever state its stream is in: the dynamic table depends on it.
static struct fault take_headers(struct session *session, const uint8_t *bytes, size_t length,
                                 struct frame *frame, size_t *used)
{
    static struct hpack_list list; // one for all connections: it is used up at once
    struct fault fault = join_block(bytes, length, frame, used);
    if (fault.scope || *used == 0)
        return fault;
    if (!hpack_decode(&session->decoder, frame->content, frame->content_length, &list))
        return connection_fault(COMPRESSION_ERROR, "a header block that is no HPACK");
    return exchange_headers(session, frame, &list);
}

// ---- what comes ----------------------------------------------------------------------------

// Takes one frame at the start of `bytes`. Returns how many bytes it took; 0 if more have to
// come.
static size_t take(struct session *session, const uint8_t *bytes, size_t length)
{
    struct frame frame;
    if (length < FRAME_HEADER_BYTES)
        return 0;
    frame_read_header(bytes, &frame);
    size_t used = FRAME_HEADER_BYTES + frame.length;
    struct fault fault = frame_check_length(&frame, FRAME_SIZE_DEFAULT);
    if (!fault.scope && length < used)
        return 0;
    if (!fault.scope)
        fault = frame_check(&frame);
    if (!fault.scope && session->state == SESSION_SETTINGS) { // §3.4
        if (frame.type != FRAME_SETTINGS || (frame.flags & FLAG_ACK))
            fault = connection_fault(PROTOCOL_ERROR, "the first frame is not SETTINGS");
        session->state = SESSION_OPEN;
    }
    if (!fault.scope)
        fault = frame.type == FRAME_HEADERS
                    ? take_headers(session, bytes, length, &frame, &used)
                    : take_frame(session, &frame);
    if (fault.scope == FAULT_CONNECTION)
        fail(session, fault);
    else if (fault.scope == FAULT_STREAM)
        reset(session, frame.stream, fault);
    return session->conn->closing ? length : used;
}

static size_t take_preface(struct session *session, const uint8_t *bytes, size_t length)
{
    size_t part = length < PREFACE_BYTES ? length : PREFACE_BYTES;
    if (memcmp(bytes, PREFACE, part))
        fail(session, connection_fault(PROTOCOL_ERROR, "this is not HTTP/2"));
    else if (part == PREFACE_BYTES)
        session->state = SESSION_SETTINGS;
    return session->state == SESSION_SETTINGS ? PREFACE_BYTES : 0;
}

size_t session_received(struct session *session, const uint8_t *bytes, size_t length)
{
    size_t used = session->state == SESSION_PREFACE ? take_preface(session, bytes, length) : 0;
    while (session->state != SESSION_PREFACE && !session->conn->closing &&
           conn_room(session->conn) >= ROOM) {
        size_t taken = take(session, bytes + used, length - used);
        if (taken == 0)
            break;
        used += taken;
        session->heard_ns = conn_now(session->conn);
    }
    return used;
}

// ---- the loop's other calls ----------------------------------------------------------------

void session_begin(struct session *session, struct conn *conn, struct service *service)
{
    struct setting settings[] = {
        {SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)service->streams_max},
        {SETTINGS_MAX_HEADER_LIST_SIZE, HPACK_LIST_MAX},
        {SETTINGS_HEADER_TABLE_SIZE, (uint32_t)service->table_bytes}};
    bool usual = service->table_bytes == TABLE_SIZE_DEFAULT;
    *session = (struct session){.conn = conn,
                                .service = service,
                                .patience = PATIENCE_MAX,
                                .patience_ns = conn_now(conn),
                                .heard_ns = conn_now(conn)};
    streams_begin(&session->streams);
    hpack_decoder_begin(&session->decoder);
    hpack_encoder_begin(&session->encoder);
    wrote(session, frame_put_settings(space(session), settings, usual ? 2 : 3));
}

bool session_produce(struct session *session)
{
    bool sent = exchange_send(session);
    if (session->state == SESSION_LEAVING && session->streams.count == 0)
        conn_close(session->conn);
    if (session->state != SESSION_PREFACE)
        set_deadline(session);
    return sent;
}

void session_timeout(struct session *session)
{
    int64_t now_ns = conn_now(session->conn);
    const struct service *service = session->service;
    exchange_due(session);
    if (session->state == SESSION_PREFACE) {
        fail(session, connection_fault(PROTOCOL_ERROR, "no preface in time"));
    } else if (session->streams.count == 0) {
        if (now_ns >= session->heard_ns + service->idle_ms * NS_PER_MS)
            fail(session, connection_fault(NO_ERROR, "idle"));
    } else if (session->streams.count > session->timed) {
        if (now_ns >= session->progress_ns + service->stall_ms * NS_PER_MS)
            fail(session, connection_fault(ENHANCE_YOUR_CALM, "requests that do not move"));
    }
}

void session_stop(struct session *session)
{
    if (session->state != SESSION_LEAVING)
        go_away(session, NO_ERROR, "the server stops");
}

void session_closed(struct session *session)
{
    session->service->held -= session->held;
    streams_close_all(&session->streams);
    hpack_table_free(&session->decoder.table);
    hpack_table_free(&session->encoder.table);
}
