// hearing.c: see hearing.h. Read talk_take() first, at the end, then take_frame().
#include "hearing.h"

#include <stdlib.h>
#include <string.h>

struct reply *talk_slot(struct talk *talk, uint32_t stream)
{
    return &talk->replies[stream / 2 % TALK_REPLIES];
}

void talk_announce(struct talk *talk, bool to_server, const struct frame *frame)
{
    if (talk->listener && talk->listener->frame)
        talk->listener->frame(talk, to_server, frame);
}

static void end_stream(struct talk *talk, struct reply *reply, bool reset, uint32_t error)
{
    if (reply->ended)
        return;
    reply->ended = true;
    reply->reset = reset;
    reply->error = error;
    reply->ended_ns = talk->read_ns;
    talk->open--;
}

static struct reply *find(struct talk *talk, uint32_t stream)
{
    struct reply *reply = talk_slot(talk, stream);
    return stream && reply->stream == stream ? reply : NULL;
}

// ---- frames of the connection --------------------------------------------------------------

// Our SETTINGS count from now on: the server knows them (§6.9.2).
static void take_settings_ack(struct talk *talk)
{
    if (talk->settings_acked == talk->settings_sent)
        return;
    int64_t initial = talk->settings[talk->settings_acked++ % TALK_SETTINGS];
    if (initial < 0)
        return;
    for (int i = 0; i < TALK_REPLIES; i++)
        talk->replies[i].window += initial - talk->initial;
    talk->initial = initial;
}

static struct fault take_settings(struct talk *talk, const struct frame *frame)
{
    if (frame->flags & FLAG_ACK) {
        take_settings_ack(talk);
        return fault_none();
    }
    for (uint32_t i = 0; i < frame->length / SETTING_BYTES; i++) {
        struct setting setting = frame_setting(frame, i);
        if (setting.id == SETTINGS_HEADER_TABLE_SIZE)
            hpack_encoder_limit(&talk->encoder, setting.value);
        else if (setting.id == SETTINGS_MAX_CONCURRENT_STREAMS)
            talk->streams_max = setting.value;
        // The others are about content and header lists larger than we ever send, and pushes.
    }
    talk_wrote(talk, frame_put_settings_ack(talk_space(talk)));
    return fault_none();
}

// ---- frames of a stream --------------------------------------------------------------------

// Gives back what was used of a window when it is worth a frame.
static void give_back(struct talk *talk, uint32_t stream, uint32_t *used)
{
    if (!talk->generous || *used < talk->half)
        return;
    talk_widen(talk, stream, *used);
    *used = 0;
}

static struct fault take_data(struct talk *talk, const struct frame *frame)
{
    struct reply *reply = find(talk, frame->stream);
    talk->window -= frame->length; // padding counts as well (§6.9.1)
    talk->used += frame->length;
    if (talk->window < 0)
        return connection_fault(FLOW_CONTROL_ERROR, "more DATA than the connection's window");
    give_back(talk, 0, &talk->used);
    if (!reply || reply->ended)
        return fault_none(); // it was reset, or is long forgotten
    if (reply->status == 0)
        return stream_fault(PROTOCOL_ERROR, "DATA before HEADERS");
    reply->window -= frame->length;
    reply->used += frame->length;
    if (reply->window < 0 && frame->length)
        return connection_fault(FLOW_CONTROL_ERROR, "more DATA than the stream's window");
    reply->content_bytes += frame->content_length;
    if (talk->listener && talk->listener->content && frame->content_length)
        talk->listener->content(talk, reply, frame->content, frame->content_length);
    if (frame->flags & FLAG_END_STREAM)
        end_stream(talk, reply, false, NO_ERROR);
    else
        give_back(talk, frame->stream, &reply->used);
    return fault_none();
}

// A whole header block. It is decoded whatever its stream is: the dynamic table depends on it.
static struct fault take_block(struct talk *talk, uint32_t stream, uint8_t flags,
                               const uint8_t *block, uint32_t length)
{
    static struct hpack_list list;
    struct reply *reply = find(talk, stream);
    if (!hpack_decode(&talk->decoder, block, length, &list))
        return connection_fault(COMPRESSION_ERROR, "a header block that is no HPACK");
    if (talk->listener && talk->listener->fields)
        talk->listener->fields(talk, false, list.fields, list.count);
    if (!reply || reply->ended)
        return fault_none();
    if (reply->status == 0) { // else it is a trailer
        const struct hpack_field *first = list.fields;
        if (list.count == 0 || first->static_name != HPACK_STATUS || first->value_length != 3)
            return stream_fault(PROTOCOL_ERROR, "a response without a status");
        int status = atoi((char[]){first->value[0], first->value[1], first->value[2], '\0'});
        reply->status = status < 200 ? 0 : status; // 100, 103: the real one is to come
        reply->block_bytes = length;
    }
    if (flags & FLAG_END_STREAM)
        end_stream(talk, reply, false, NO_ERROR);
    return fault_none();
}

static struct fault take_headers(struct talk *talk, const struct frame *frame)
{
    if (frame->type == FRAME_HEADERS) {
        talk->block_stream = frame->stream;
        talk->block_flags = frame->flags;
        talk->block_length = 0;
    }
    if (frame->content_length > TALK_BLOCK_MAX - talk->block_length)
        return connection_fault(ENHANCE_YOUR_CALM, "a header block that is too long");
    memcpy(talk->block + talk->block_length, frame->content, frame->content_length);
    talk->block_length += frame->content_length;
    if (!(frame->flags & FLAG_END_HEADERS))
        return fault_none();
    talk->block_stream = 0;
    return take_block(talk, frame->stream, talk->block_flags, talk->block, talk->block_length);
}

// What is above the last stream was not looked at, and will not be (§6.8).
static void take_goaway(struct talk *talk, const struct frame *frame)
{
    uint32_t length = frame->length - 8;
    length = length < TALK_WHY_BYTES - 1 ? length : TALK_WHY_BYTES - 1;
    talk->went_away = true;
    talk->goaway_last = frame_read_u32(frame->payload) & STREAM_ID_MAX;
    talk->goaway_code = frame_read_u32(frame->payload + 4);
    memcpy(talk->why, frame->payload + 8, length);
    talk->why[length] = '\0';
    for (int i = 0; i < TALK_REPLIES; i++)
        if (talk->replies[i].stream > talk->goaway_last)
            end_stream(talk, &talk->replies[i], true, REFUSED_STREAM);
}

// Frames that only come on a stream that we have opened (§5.1).
static bool is_out_of_place(const struct talk *talk, const struct frame *frame)
{
    bool ours = frame->stream % 2 == 1 && frame->stream <= talk->last_stream;
    return (frame->type == FRAME_DATA || frame->type == FRAME_HEADERS ||
            frame->type == FRAME_RST_STREAM) &&
           !ours;
}

static struct fault take_frame(struct talk *talk, const struct frame *frame)
{
    struct reply *reply = find(talk, frame->stream);
    bool continues = frame->type == FRAME_CONTINUATION && frame->stream == talk->block_stream;
    if (talk->block_stream ? !continues : frame->type == FRAME_CONTINUATION)
        return connection_fault(PROTOCOL_ERROR, "a header block out of order");
    if (is_out_of_place(talk, frame))
        return connection_fault(PROTOCOL_ERROR, "an answer to what nobody has asked");
    switch (frame->type) {
    case FRAME_DATA:
        return take_data(talk, frame);
    case FRAME_HEADERS:
    case FRAME_CONTINUATION:
        return take_headers(talk, frame);
    case FRAME_RST_STREAM:
        if (reply)
            end_stream(talk, reply, true, frame_read_u32(frame->payload));
        return fault_none();
    case FRAME_SETTINGS:
        return take_settings(talk, frame);
    case FRAME_PUSH_PROMISE: // §6.6: we have said ENABLE_PUSH=0
        return connection_fault(PROTOCOL_ERROR, "a push, though ENABLE_PUSH is 0");
    case FRAME_PING:
        if (frame->flags & FLAG_ACK)
            talk->pings_acked++;
        else
            talk_wrote(talk, frame_put_ping(talk_space(talk), FLAG_ACK, frame->payload));
        return fault_none();
    case FRAME_GOAWAY:
        take_goaway(talk, frame);
        return fault_none();
    default: // PRIORITY, WINDOW_UPDATE (we send no content), and what no one knows (§5.5)
        return fault_none();
    }
}

bool talk_take(struct talk *talk)
{
    struct frame frame;
    size_t there = talk->in_length - talk->in_at;
    if (there < FRAME_HEADER_BYTES)
        return false;
    frame_read_header(talk->in + talk->in_at, &frame);
    struct fault fault = frame_check_length(&frame, FRAME_SIZE_DEFAULT);
    if (talk->position == 0 && !memcmp(talk->in, "HTTP/1.", 7))
        fault = connection_fault(PROTOCOL_ERROR, "it answers in HTTP/1");
    if (!fault.scope && there < FRAME_HEADER_BYTES + frame.length)
        return false;
    if (!fault.scope) {
        fault = frame_check(&frame);
        talk_announce(talk, false, &frame);
    }
    if (!fault.scope)
        fault = take_frame(talk, &frame);
    if (fault.scope == FAULT_STREAM && find(talk, frame.stream)) {
        talk_wrote(talk, frame_put_rst_stream(talk_space(talk), frame.stream, fault.code));
        end_stream(talk, find(talk, frame.stream), true, fault.code);
    } else if (fault.scope == FAULT_CONNECTION) {
        talk_wrote(talk, frame_put_goaway(talk_space(talk), 0, fault.code, fault.why));
        talk_flush(talk);
        talk->fault = fault;
        talk->closed = true;
    }
    talk->in_at += FRAME_HEADER_BYTES + frame.length;
    talk->position += FRAME_HEADER_BYTES + frame.length;
    return !talk->closed;
}
