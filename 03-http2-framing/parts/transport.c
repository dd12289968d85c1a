// transport.c: see transport.h. What goes out, and how a connection begins and ends; what comes
// in is in transport_receive.c.
#include "transport.h"

#include <string.h>

#include "frame_names.h"
#include "log.h"
#include "smaller.h"

#define STOP_NS     INT64_C(1000000000) // when a server stops: for requests on their way
#define PIECE_BYTES 4096 // of DATA in one frame, while other streams wait for their turn

// ---- what goes out -------------------------------------------------------------------------

static void go_away(struct transport *t, uint32_t last, enum error_code code, const char *why)
{
    transport_wrote(t, frame_put_goaway(transport_space(t), last, code, why));
}

void transport_fail(struct transport *t, struct fault fault)
{
    if (t->closing)
        return;
    if (!t->is_client)
        log_line("GOAWAY %s: %s", error_code_name(fault.code), fault.why);
    go_away(t, t->last_taken, fault.code, fault.why);
    t->fault = fault;
    t->closing = true;
}

bool transport_put_headers(struct transport *t, struct stream *stream,
                           const struct hpack_field *fields, size_t count, bool ends)
{
    size_t bound = FRAME_HEADER_BYTES + hpack_bound(fields, count);
    if (transport_room(t) < bound + TRANSPORT_ROOM)
        return false;
    uint8_t *start = transport_space(t), *block = start + FRAME_HEADER_BYTES;
    uint8_t *end = hpack_encode(&t->encoder, block, fields, count);
    uint8_t flags = FLAG_END_HEADERS;
    if (ends)
        flags |= FLAG_END_STREAM;
    frame_put_header(start, (uint32_t)(end - block), FRAME_HEADERS, flags, stream->id);
    transport_wrote(t, end);
    stream->answering = true;
    stream->answered = stream->answered || ends;
    return true;
}

uint32_t transport_may_send(const struct transport *t, const struct stream *stream)
{
    size_t most = FRAME_SIZE_DEFAULT;
    if (stream->ring_next != stream) // it is not alone in the ring
        most = PIECE_BYTES;
    if (transport_room(t) < FRAME_HEADER_BYTES + TRANSPORT_ROOM)
        return 0;
    most = smaller(most, transport_room(t) - FRAME_HEADER_BYTES - TRANSPORT_ROOM);
    return (uint32_t)smaller(most, stream_may_send(&t->streams, stream));
}

void transport_put_data(struct transport *t, struct stream *stream, const uint8_t *bytes,
                        uint32_t length, bool ends)
{
    uint8_t *start = transport_space(t), flags = 0;
    if (ends)
        flags = FLAG_END_STREAM;
    budget_earn_data(&t->budget, length, stream_may_send(&t->streams, stream));
    frame_put_header(start, length, FRAME_DATA, flags, stream->id);
    if (length)
        memcpy(start + FRAME_HEADER_BYTES, bytes, length);
    transport_wrote(t, start + FRAME_HEADER_BYTES + length);
    stream_sent(&t->streams, stream, length);
    stream->answered = stream->answered || ends;
}

bool transport_send(struct transport *t)
{
    struct streams *streams = &t->streams;
    size_t before = t->out_length;
    while (streams->ring && !t->closing) {
        struct stream *stream = streams->ring;
        enum transport_turn turn = t->user->send(t, stream);
        if (turn == TURN_NO_ROOM)
            break;
        if (streams->ring != stream) // it was closed
            continue;
        if (turn == TURN_WAITS)
            ring_leave(streams, stream);
        else
            ring_turn(streams);
    }
    return t->out_length > before;
}

// ---- streams -------------------------------------------------------------------------------

static void forget(struct transport *t, struct stream *stream, enum stream_end end)
{
    stream_close(&t->streams, stream, end);
    if (t->streams.count == 0)
        t->quiet_ns = t->now_ns;
}

struct stream *transport_open(struct transport *t)
{
    uint32_t id = t->streams.last_id + 2;
    if (t->streams.last_id == 0)
        id = 1;
    if (t->went_away || t->closing || id > STREAM_ID_MAX || t->streams.count >= t->streams_max)
        return NULL;
    return stream_open(&t->streams, id);
}

void transport_reset(struct transport *t, struct stream *stream, enum error_code code)
{
    transport_wrote(t, frame_put_rst_stream(transport_space(t), stream->id, code));
    forget(t, stream, STREAM_RESET);
}

void transport_close(struct transport *t, struct stream *stream, enum error_code code)
{
    budget_earn(&t->budget, BUDGET_FOR_ANSWER);
    if (stream->remote_ended && stream->answered)
        forget(t, stream, STREAM_ENDED);
    else
        transport_reset(t, stream, code);
}

void transport_break(struct transport *t, struct stream *stream, enum error_code code,
                     enum stream_end end)
{
    if (stream->answer.owner)
        t->user->broken(t, stream, code);
    forget(t, stream, end);
}

void transport_used(struct transport *t, struct stream *stream, uint32_t length)
{
    uint32_t increment = 0, id = 0;
    if (stream && stream->remote_ended)
        return;
    if (stream)
        id = stream->id;
    increment = streams_return(&t->streams, stream, length);
    if (increment)
        transport_wrote(t, frame_put_window_update(transport_space(t), id, increment));
}

void transport_wants_to_send(struct transport *t, struct stream *stream)
{
    ring_join(&t->streams, stream);
}

// ---- the beginning and the end -------------------------------------------------------------

void transport_begin(struct transport *t, const struct transport_user *user, bool is_client,
                     uint32_t streams_max)
{
    struct setting settings[] = {{SETTINGS_ENABLE_PUSH, 0},
                                 {SETTINGS_MAX_HEADER_LIST_SIZE, HPACK_LIST_MAX},
                                 {SETTINGS_MAX_CONCURRENT_STREAMS, streams_max}};
    t->user = user;
    t->is_client = is_client;
    t->streams_max = streams_max;
    t->quiet_ns = t->now_ns;
    budget_begin(&t->budget, t->now_ns);
    streams_begin(&t->streams);
    hpack_decoder_begin(&t->decoder);
    hpack_encoder_begin(&t->encoder);
    if (is_client) {
        t->state = TRANSPORT_SETTINGS;
        memcpy(transport_space(t), PREFACE, PREFACE_BYTES);
        transport_wrote(t, transport_space(t) + PREFACE_BYTES);
        transport_wrote(t, frame_put_settings(transport_space(t), settings, 2));
    } else {
        transport_wrote(t, frame_put_settings(transport_space(t), settings + 1, 2));
    }
}

void transport_end(struct transport *t)
{
    t->gone = true;
    while (t->streams.first)
        transport_break(t, t->streams.first, CANCEL, STREAM_ENDED);
    hpack_table_free(&t->decoder.table);
    hpack_table_free(&t->encoder.table);
}

void transport_stop(struct transport *t)
{
    if (t->state >= TRANSPORT_STOPPING)
        return;
    static const uint8_t opaque[8] = "ping";
    go_away(t, STREAM_ID_MAX, NO_ERROR, "the server stops");
    transport_wrote(t, frame_put_ping(transport_space(t), 0, opaque));
    t->state = TRANSPORT_STOPPING;
    t->leave_ns = t->now_ns + STOP_NS;
}

void transport_stop_on(struct transport *t)
{
    if (t->state == TRANSPORT_STOPPING && t->now_ns >= t->leave_ns) {
        go_away(t, t->last_taken, NO_ERROR, "the server stops");
        t->state = TRANSPORT_LEAVING;
    }
    if (t->state == TRANSPORT_LEAVING && t->streams.count == 0)
        t->closing = true;
}
