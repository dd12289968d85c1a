// frame.c: see frame.h. Start with frame_read_header() and frame_put_header(): the nine bytes.
//
//     +-----------------------------------------------+
//     |                 Length (24)                   |
//     +---------------+---------------+---------------+
//     |   Type (8)    |   Flags (8)   |
//     +-+-------------+---------------+-------------------------------+
//     |R|                 Stream Identifier (31)                      |
//     +=+=============================================================+
//     |                   Frame Payload (0...)                      ...
#include "frame.h"

#include <string.h>

// ---- numbers in network byte order ---------------------------------------------------------

uint32_t frame_read_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
           bytes[3];
}

static uint8_t *put_u32(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)(value >> 24);
    out[1] = (uint8_t)(value >> 16);
    out[2] = (uint8_t)(value >> 8);
    out[3] = (uint8_t)value;
    return out + 4;
}

// ---- the nine bytes ------------------------------------------------------------------------

void frame_read_header(const uint8_t *bytes, struct frame *frame)
{
    *frame = (struct frame){.length = frame_read_u32(bytes) >> 8, // the first three bytes
                            .type = bytes[3],
                            .flags = bytes[4],
                            .stream = frame_read_u32(bytes + 5) & STREAM_ID_MAX,
                            .payload = bytes + FRAME_HEADER_BYTES};
}

uint8_t *frame_put_header(uint8_t *out, uint32_t length, enum frame_type type, uint8_t flags,
                          uint32_t stream)
{
    put_u32(out, length << 8 | type);
    out[4] = flags;
    return put_u32(out + 5, stream);
}

// ---- what can be wrong with a frame on its own ---------------------------------------------

struct fault fault_none(void)
{
    return (struct fault){FAULT_NONE, NO_ERROR, NULL};
}

struct fault stream_fault(enum error_code code, const char *why)
{
    return (struct fault){FAULT_STREAM, code, why};
}

struct fault connection_fault(enum error_code code, const char *why)
{
    return (struct fault){FAULT_CONNECTION, code, why};
}

struct fault frame_check_length(const struct frame *frame, uint32_t max)
{
    // For some types a stream error would be enough (§4.2). A connection error is simpler, and
    // a client that respects the server's SETTINGS never sends such a frame.
    if (frame->length > max)
        return connection_fault(FRAME_SIZE_ERROR, "frame longer than SETTINGS_MAX_FRAME_SIZE");
    return fault_none();
}

struct setting frame_setting(const struct frame *frame, uint32_t index)
{
    const uint8_t *bytes = frame->payload + (size_t)index * SETTING_BYTES;
    return (struct setting){(uint16_t)(bytes[0] << 8 | bytes[1]), frame_read_u32(bytes + 2)};
}

// §6.5.2. A setting that is unknown has no wrong value.
static struct fault check_settings(const struct frame *frame)
{
    if ((frame->flags & FLAG_ACK) && frame->length)
        return connection_fault(FRAME_SIZE_ERROR, "SETTINGS ACK with a payload");
    if (frame->length % SETTING_BYTES)
        return connection_fault(FRAME_SIZE_ERROR, "SETTINGS not a multiple of six bytes");
    for (uint32_t i = 0; i < frame->length / SETTING_BYTES; i++) {
        struct setting setting = frame_setting(frame, i);
        if (setting.id == SETTINGS_ENABLE_PUSH && setting.value > 1)
            return connection_fault(PROTOCOL_ERROR, "ENABLE_PUSH is neither 0 nor 1");
        if (setting.id == SETTINGS_INITIAL_WINDOW_SIZE && setting.value > WINDOW_MAX)
            return connection_fault(FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE above 2^31-1");
        if (setting.id == SETTINGS_MAX_FRAME_SIZE &&
            (setting.value < FRAME_SIZE_DEFAULT || setting.value > FRAME_SIZE_MAX))
            return connection_fault(PROTOCOL_ERROR, "MAX_FRAME_SIZE out of range");
    }
    return fault_none();
}

// RFC 9113 deprecates priorities (§5.3.2), but a stream that depends on itself has always been
// an error (RFC 7540 §5.3.1).
struct fault frame_check_priority(const struct frame *frame)
{
    const uint8_t *priority = frame->payload;
    if (frame->type == FRAME_HEADERS && !(frame->flags & FLAG_PRIORITY))
        return fault_none();
    if (frame->type == FRAME_HEADERS && (frame->flags & FLAG_PADDED))
        priority++;
    if ((frame_read_u32(priority) & STREAM_ID_MAX) == frame->stream)
        return stream_fault(PROTOCOL_ERROR, "a stream that depends on itself");
    return fault_none();
}

// Takes the padding off (§6.1), and the five bytes that a HEADERS frame with FLAG_PRIORITY
// begins with (§6.2), and that this server ignores: RFC 9113 deprecates them (§5.3.2).
static struct fault check_content(struct frame *frame)
{
    uint32_t start = 0, padding = 0;
    bool padded = frame->flags & FLAG_PADDED;
    if (padded)
        start++;
    if (frame->type == FRAME_HEADERS && (frame->flags & FLAG_PRIORITY))
        start += PRIORITY_BYTES;
    if (frame->length < start)
        return connection_fault(FRAME_SIZE_ERROR, "frame too short for its flags");
    if (padded)
        padding = frame->payload[0];
    if (padding > frame->length - start)
        return connection_fault(PROTOCOL_ERROR, "padding longer than the frame");
    frame->content = frame->payload + start;
    frame->content_length = frame->length - start - padding;
    return fault_none();
}

static struct fault check_on_stream(struct frame *frame)
{
    switch (frame->type) {
    case FRAME_DATA:
    case FRAME_HEADERS:
        return check_content(frame);
    case FRAME_PRIORITY:
        if (frame->length != PRIORITY_BYTES)
            return stream_fault(FRAME_SIZE_ERROR, "PRIORITY is five bytes");
        return frame_check_priority(frame);
    case FRAME_RST_STREAM:
        if (frame->length != 4)
            return connection_fault(FRAME_SIZE_ERROR, "RST_STREAM is four bytes");
        return fault_none();
    default: // PUSH_PROMISE, CONTINUATION
        return fault_none();
    }
}

struct fault frame_check(struct frame *frame)
{
    frame->content = frame->payload;
    frame->content_length = frame->length;
    switch (frame->type) {
    case FRAME_DATA:
    case FRAME_HEADERS:
    case FRAME_PRIORITY:
    case FRAME_RST_STREAM:
    case FRAME_PUSH_PROMISE:
    case FRAME_CONTINUATION:
        if (frame->stream == 0)
            return connection_fault(PROTOCOL_ERROR, "this frame needs a stream");
        return check_on_stream(frame);
    case FRAME_WINDOW_UPDATE:
        if (frame->length != 4)
            return connection_fault(FRAME_SIZE_ERROR, "WINDOW_UPDATE is four bytes");
        if (frame_read_u32(frame->payload) & WINDOW_MAX)
            return fault_none();
        if (frame->stream) // §6.9
            return stream_fault(PROTOCOL_ERROR, "WINDOW_UPDATE of zero");
        return connection_fault(PROTOCOL_ERROR, "WINDOW_UPDATE of zero");
    case FRAME_SETTINGS:
    case FRAME_PING:
    case FRAME_GOAWAY:
        if (frame->stream != 0)
            return connection_fault(PROTOCOL_ERROR, "this frame is on no stream");
        if (frame->type == FRAME_SETTINGS)
            return check_settings(frame);
        if (frame->type == FRAME_PING && frame->length != 8)
            return connection_fault(FRAME_SIZE_ERROR, "PING is eight bytes");
        if (frame->type == FRAME_GOAWAY && frame->length < 8)
            return connection_fault(FRAME_SIZE_ERROR, "GOAWAY is at least eight bytes");
        return fault_none();
    default:
        return fault_none();
    }
}

// ---- a header block in several frames ------------------------------------------------------

struct fault frame_join_block(const uint8_t *bytes, size_t length, struct frame *frame,
                              size_t *used, int *continuations)
{
    static uint8_t joined[HEADER_BLOCK_MAX];
    struct frame next = *frame;
    size_t at = FRAME_HEADER_BYTES + frame->length;
    *used = 0;
    *continuations = 0;
    if (!(frame->flags & FLAG_END_HEADERS))
        memcpy(joined, frame->content, frame->content_length);
    while (!(next.flags & FLAG_END_HEADERS)) {
        if (++*continuations > CONTINUATIONS_MAX)
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

// ---- writing -------------------------------------------------------------------------------

uint8_t *frame_put_settings(uint8_t *out, const struct setting *settings, uint32_t count)
{
    out = frame_put_header(out, count * SETTING_BYTES, FRAME_SETTINGS, 0, 0);
    for (uint32_t i = 0; i < count; i++) {
        *out++ = (uint8_t)(settings[i].id >> 8);
        *out++ = (uint8_t)settings[i].id;
        out = put_u32(out, settings[i].value);
    }
    return out;
}

uint8_t *frame_put_settings_ack(uint8_t *out)
{
    return frame_put_header(out, 0, FRAME_SETTINGS, FLAG_ACK, 0);
}

uint8_t *frame_put_ping(uint8_t *out, uint8_t flags, const uint8_t opaque[8])
{
    memcpy(frame_put_header(out, 8, FRAME_PING, flags, 0), opaque, 8);
    return out + FRAME_HEADER_BYTES + 8;
}

uint8_t *frame_put_window_update(uint8_t *out, uint32_t stream, uint32_t increment)
{
    return put_u32(frame_put_header(out, 4, FRAME_WINDOW_UPDATE, 0, stream), increment);
}

uint8_t *frame_put_rst_stream(uint8_t *out, uint32_t stream, enum error_code code)
{
    return put_u32(frame_put_header(out, 4, FRAME_RST_STREAM, 0, stream), code);
}

uint8_t *frame_put_priority(uint8_t *out, uint32_t stream, uint32_t parent, uint8_t weight)
{
    out = put_u32(frame_put_header(out, PRIORITY_BYTES, FRAME_PRIORITY, 0, stream), parent);
    *out = weight;
    return out + 1;
}

uint8_t *frame_put_goaway(uint8_t *out, uint32_t last_stream, enum error_code code,
                          const char *debug)
{
    uint32_t length = (uint32_t)strnlen(debug, GOAWAY_DEBUG_MAX);
    out = put_u32(frame_put_header(out, 8 + length, FRAME_GOAWAY, 0, 0), last_stream);
    memcpy(put_u32(out, code), debug, length);
    return out + 4 + length;
}
