// transport_receive.c: see transport.h. Read transport_take() first, then take_frame().
#include <string.h>

#include "frame_names.h"
#include "log.h"
#include "smaller.h"
#include "transport.h"

// ---- frames of the connection --------------------------------------------------------------

// The windows of all streams may be larger now: those that had to wait try again.
static void resume_all(struct transport *t)
{
    for (struct stream *stream = t->streams.first; stream; stream = stream->next)
        if (stream->answer.owner)
            ring_join(&t->streams, stream);
}

static struct fault take_settings(struct transport *t, const struct frame *frame)
{
    if (frame->flags & FLAG_ACK)
        return fault_none();
    if (t->state == TRANSPORT_SETTINGS && t->is_client)
        t->streams_max = UINT32_MAX; // if the server names no limit, there is none
    for (uint32_t i = 0; i < frame->length / SETTING_BYTES; i++) {
        struct setting setting = frame_setting(frame, i);
        struct fault fault = fault_none();
        if (setting.id == SETTINGS_HEADER_TABLE_SIZE)
            hpack_encoder_limit(&t->encoder, setting.value);
        else if (setting.id == SETTINGS_INITIAL_WINDOW_SIZE)
            fault = streams_resize(&t->streams, setting.value);
        else if (setting.id == SETTINGS_MAX_CONCURRENT_STREAMS && t->is_client)
            t->streams_max = setting.value;
        else if (setting.id == SETTINGS_ENABLE_PUSH && setting.value && t->is_client)
            fault = connection_fault(PROTOCOL_ERROR, "ENABLE_PUSH=1 from a server");
        if (fault.scope)
            return fault;
    }
    resume_all(t);
    transport_wrote(t, frame_put_settings_ack(transport_space(t)));
    return fault_none();
}

static struct fault take_window_update(struct transport *t, const struct frame *frame)
{
    uint32_t increment = frame_read_u32(frame->payload) & WINDOW_MAX;
    struct stream *stream = stream_find(&t->streams, frame->stream);
    if (frame->stream && !stream)
        return fault_none(); // the stream was closed meanwhile (§5.1)
    struct fault fault = streams_widen(&t->streams, stream, increment);
    if (!fault.scope && stream)
        ring_join(&t->streams, stream);
    else if (!fault.scope)
        resume_all(t);
    return fault;
}

static void take_ping(struct transport *t, const struct frame *frame)
{
    if (!(frame->flags & FLAG_ACK)) {
        transport_wrote(t, frame_put_ping(transport_space(t), FLAG_ACK, frame->payload));
        return;
    }
    t->pings_acked++;
    if (t->state == TRANSPORT_STOPPING)
        t->leave_ns = t->now_ns; // the client has seen GOAWAY
}

// The server goes away: what is above its last stream was not looked at, and will not be.
static void take_goaway(struct transport *t, const struct frame *frame)
{
    uint32_t last = frame_read_u32(frame->payload) & STREAM_ID_MAX;
    struct stream *next = t->streams.first;
    if (!t->is_client)
        return; // this server opens no streams
    t->went_away = true;
    for (struct stream *stream; (stream = next);) {
        next = stream->next;
        if (stream->id > last)
            transport_break(t, stream, REFUSED_STREAM, STREAM_RESET);
    }
}

// ---- header fields --------------------------------------------------------------------------

const char *transport_read_answer(const struct hpack_list *list, bool ends,
                                  struct response_head *head)
{
    const char *wrong = response_read(list, head);
    if (list->too_long)
        wrong = "a head that is too long";
    else if (!wrong && head->status < 200 && ends)
        wrong = "a 1xx that is the end";
    return wrong;
}

const char *transport_read_trailers(const struct hpack_list *list, bool ends)
{
    const char *wrong = message_check_trailers(list);
    if (!ends)
        wrong = "trailers that are not the end";
    if (list->too_long)
        wrong = "trailers that are too long";
    return wrong;
}

// ---- frames of a stream --------------------------------------------------------------------

static struct fault take_data(struct transport *t, struct stream *stream,
                              const struct frame *frame)
{
    bool ends = frame->flags & FLAG_END_STREAM;
    if (stream_is_idle(&t->streams, frame->stream))
        return connection_fault(PROTOCOL_ERROR, "DATA on an idle stream");
    struct fault fault = streams_receive(&t->streams, stream, frame->length);
    if (fault.scope == FAULT_CONNECTION)
        return fault;
    transport_used(t, NULL, frame->length); // no stream may hold up the others
    if (fault.scope)
        return fault;
    if (!stream && stream_end_of(&t->streams, frame->stream) == STREAM_RESET)
        return fault_none(); // sent before the peer saw RST_STREAM
    if (!stream || stream->remote_ended)
        return stream_fault(STREAM_CLOSED, "DATA behind the end of a stream");
    if (t->is_client && stream->answer.status == 0)
        return stream_fault(PROTOCOL_ERROR, "DATA before the final status");
    stream->received += frame->content_length;
    if (stream->content_length >= 0 && (stream->received > stream->content_length ||
                                        (ends && stream->received < stream->content_length)))
        return stream_fault(PROTOCOL_ERROR, "content that is not what content-length says");
    stream->remote_ended = ends;
    transport_used(t, stream, frame->length - frame->content_length); // padding
    return t->user->data(t, stream, frame->content, frame->content_length, ends);
}

// HEADERS on a new stream of the client.
static struct fault take_request(struct transport *t, const struct frame *frame,
                                 const struct hpack_list *list)
{
    struct streams *streams = &t->streams;
    struct fault fault = frame_check_priority(frame);
    if (t->state == TRANSPORT_LEAVING) { // §6.8: the client may safely ask again elsewhere
        stream_refuse(streams, frame->stream);
        return fault_none();
    }
    if (streams->count >= t->streams_max)
        fault = stream_fault(REFUSED_STREAM, "more streams than MAX_CONCURRENT_STREAMS");
    struct stream *stream = NULL;
    if (!fault.scope && !(stream = stream_open(streams, frame->stream)))
        fault = stream_fault(REFUSED_STREAM, "no memory for a stream");
    if (!stream) {
        stream_refuse(streams, frame->stream);
        return fault;
    }
    t->last_taken = frame->stream;
    stream->remote_ended = frame->flags & FLAG_END_STREAM;
    return t->user->headers(t, stream, list, stream->remote_ended);
}

static struct fault take_list(struct transport *t, const struct frame *frame,
                              const struct hpack_list *fields)
{
    struct stream *stream = stream_find(&t->streams, frame->stream);
    if (!t->is_client && frame->stream % 2 == 0)
        return connection_fault(PROTOCOL_ERROR, "an even stream number from a client");
    if (stream_is_idle(&t->streams, frame->stream)) {
        if (t->is_client)
            return connection_fault(PROTOCOL_ERROR, "an answer to a request that was not made");
        return take_request(t, frame, fields);
    }
    if (!stream && stream_end_of(&t->streams, frame->stream) == STREAM_RESET)
        return fault_none();
    if (!stream)
        return connection_fault(STREAM_CLOSED, "HEADERS on a stream that is closed");
    if (stream->remote_ended)
        return stream_fault(STREAM_CLOSED, "HEADERS behind the end of a stream");
    stream->remote_ended = frame->flags & FLAG_END_STREAM;
    return t->user->headers(t, stream, fields, stream->remote_ended);
}

static struct hpack_list list; // one for all connections: no list is kept

// Takes HEADERS and the CONTINUATION frames behind it. *used: their bytes; 0: wait for more.
static struct fault take_headers(struct transport *t, const uint8_t *bytes, size_t length,
                                 struct frame *frame, size_t *used)
{
    int continuations;
    struct fault fault = frame_join_block(bytes, length, frame, used, &continuations);
    if (fault.scope || *used == 0)
        return fault;
    if (!hpack_decode(&t->decoder, frame->content, frame->content_length, &list))
        return connection_fault(COMPRESSION_ERROR, "a header block that is no HPACK");
    if (list.too_long)
        continuations += COST_OF_TOO_LONG;
    if (!budget_spend(&t->budget, t->now_ns, continuations))
        return connection_fault(ENHANCE_YOUR_CALM, "too many costly header blocks");
    return take_list(t, frame, &list);
}

static struct fault take_reset(struct transport *t, struct stream *stream,
                               const struct frame *frame)
{
    if (stream_is_idle(&t->streams, frame->stream))
        return connection_fault(PROTOCOL_ERROR, "RST_STREAM on an idle stream");
    if (!stream)
        return fault_none();
    transport_break(t, stream, frame_read_u32(frame->payload), STREAM_ENDED);
    if (!t->is_client && !budget_spend(&t->budget, t->now_ns, COST_OF_RESET))
        return connection_fault(ENHANCE_YOUR_CALM, "too many requests that are cancelled");
    return fault_none();
}

// ---- all frames ----------------------------------------------------------------------------

static struct fault take_frame(struct transport *t, const struct frame *frame)
{
    struct stream *stream = stream_find(&t->streams, frame->stream);
    if (!budget_spend_frame(&t->budget, t->now_ns, frame, stream))
        return connection_fault(ENHANCE_YOUR_CALM, "too many frames that lead to nothing");
    switch (frame->type) {
    case FRAME_DATA:
        return take_data(t, stream, frame);
    case FRAME_RST_STREAM:
        return take_reset(t, stream, frame);
    case FRAME_SETTINGS:
        return take_settings(t, frame);
    case FRAME_PUSH_PROMISE:
        return connection_fault(PROTOCOL_ERROR, "a push, which no one allows");
    case FRAME_PING:
        take_ping(t, frame);
        return fault_none();
    case FRAME_GOAWAY:
        take_goaway(t, frame);
        return fault_none();
    case FRAME_WINDOW_UPDATE:
        if (stream_is_idle(&t->streams, frame->stream))
            return connection_fault(PROTOCOL_ERROR, "WINDOW_UPDATE on an idle stream");
        return take_window_update(t, frame);
    case FRAME_CONTINUATION:
        return connection_fault(PROTOCOL_ERROR, "CONTINUATION without HEADERS");
    default: // PRIORITY, and types that are unknown (§5.5)
        return fault_none();
    }
}

static void take_stream_fault(struct transport *t, uint32_t id, struct fault fault)
{
    struct stream *stream = stream_find(&t->streams, id);
    if (!t->is_client)
        log_line("RST_STREAM stream %u %s: %s", id, error_code_name(fault.code), fault.why);
    if (!budget_spend(&t->budget, t->now_ns, COST_OF_RESET) ||
        stream_is_idle(&t->streams, id)) {
        transport_fail(t, fault);
        return;
    }
    transport_wrote(t, frame_put_rst_stream(transport_space(t), id, fault.code));
    if (stream)
        transport_break(t, stream, fault.code, STREAM_RESET);
}

// Takes one frame at the start of `bytes`. Returns how many bytes it took; 0: wait for more.
static size_t take_one_frame(struct transport *t, const uint8_t *bytes, size_t length)
{
    struct frame frame;
    if (length < FRAME_HEADER_BYTES)
        return 0;
    frame_read_header(bytes, &frame);
    struct fault fault = frame_check_length(&frame, FRAME_SIZE_DEFAULT);
    size_t used = FRAME_HEADER_BYTES + frame.length;
    if (!fault.scope && length < used)
        return 0;
    if (!fault.scope)
        fault = frame_check(&frame);
    if (!fault.scope && t->state == TRANSPORT_SETTINGS &&
        (frame.type != FRAME_SETTINGS || (frame.flags & FLAG_ACK)))
        fault = connection_fault(PROTOCOL_ERROR, "the first frame is not SETTINGS");
    if (!fault.scope && frame.type == FRAME_HEADERS)
        fault = take_headers(t, bytes, length, &frame, &used);
    else if (!fault.scope)
        fault = take_frame(t, &frame);
    if (t->state == TRANSPORT_SETTINGS)
        t->state = TRANSPORT_OPEN;
    if (fault.scope == FAULT_CONNECTION)
        transport_fail(t, fault);
    else if (fault.scope == FAULT_STREAM)
        take_stream_fault(t, frame.stream, fault);
    return used;
}

size_t transport_take(struct transport *t, const uint8_t *bytes, size_t length)
{
    size_t used = 0;
    if (t->state == TRANSPORT_PREFACE) {
        if (memcmp(bytes, PREFACE, smaller(length, PREFACE_BYTES)))
            transport_fail(t, connection_fault(PROTOCOL_ERROR, "this is not HTTP/2"));
        else if (length >= PREFACE_BYTES)
            t->state = TRANSPORT_SETTINGS;
        if (t->closing)
            return length;
        if (t->state == TRANSPORT_PREFACE)
            return 0;
        used = PREFACE_BYTES;
    }
    while (!t->closing && transport_room(t) >= TRANSPORT_ROOM) {
        size_t taken = take_one_frame(t, bytes + used, length - used);
        if (taken == 0)
            break;
        used += taken;
    }
    if (t->closing) // what follows is thrown away
        return length;
    return used;
}
