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

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PRIORITY_BYTES 5 // in PRIORITY, and in HEADERS with FLAG_PRIORITY

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
    *frame = (struct frame){.length = frame_read_u32(bytes) >> 8, // three bytes, and the type
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
    // §4.2 would be content with a stream error for some types; the connection is as safe to
    // give up, and no client that reads our settings ever comes here.
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
    if (frame->flags & FLAG_ACK)
        return frame->length ? connection_fault(FRAME_SIZE_ERROR, "SETTINGS ACK with a payload")
                             : fault_none();
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

// Takes the padding off (§6.1), and the five bytes that a HEADERS frame with FLAG_PRIORITY
// begins with (§6.2), and that this server ignores: RFC 9113 deprecates them (§5.3.2).
static struct fault check_content(struct frame *frame)
{
    uint32_t start = frame->flags & FLAG_PADDED ? 1 : 0, padding = 0;
    bool priority = frame->type == FRAME_HEADERS && (frame->flags & FLAG_PRIORITY);
    if (frame->length < start + (priority ? PRIORITY_BYTES : 0))
        return connection_fault(FRAME_SIZE_ERROR, "frame too short for its flags");
    if (start)
        padding = frame->payload[0];
    start += priority ? PRIORITY_BYTES : 0;
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
        return fault_none();
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
        if ((frame_read_u32(frame->payload) & WINDOW_MAX) == 0) // §6.9
            return frame->stream ? stream_fault(PROTOCOL_ERROR, "WINDOW_UPDATE of zero")
                                 : connection_fault(PROTOCOL_ERROR, "WINDOW_UPDATE of zero");
        return fault_none();
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

// ---- words ---------------------------------------------------------------------------------

// The name at `index`, or "word 17".
static const char *name_of(const char *const *names, size_t count, uint32_t index,
                           const char *word)
{
    static char unknown[32];
    if (index < count && names[index])
        return names[index];
    snprintf(unknown, sizeof unknown, "%s %u", word, index);
    return unknown;
}

const char *frame_type_name(uint8_t type)
{
    static const char *const names[] = {
        "DATA",         "HEADERS", "PRIORITY", "RST_STREAM",    "SETTINGS",
        "PUSH_PROMISE", "PING",    "GOAWAY",   "WINDOW_UPDATE", "CONTINUATION"};
    return name_of(names, sizeof names / sizeof *names, type, "type");
}

const char *error_code_name(uint32_t code)
{
    static const char *const names[] = {"NO_ERROR",
                                        "PROTOCOL_ERROR",
                                        "INTERNAL_ERROR",
                                        "FLOW_CONTROL_ERROR",
                                        "SETTINGS_TIMEOUT",
                                        "STREAM_CLOSED",
                                        "FRAME_SIZE_ERROR",
                                        "REFUSED_STREAM",
                                        "CANCEL",
                                        "COMPRESSION_ERROR",
                                        "CONNECT_ERROR",
                                        "ENHANCE_YOUR_CALM",
                                        "INADEQUATE_SECURITY",
                                        "HTTP_1_1_REQUIRED"};
    return name_of(names, sizeof names / sizeof *names, code, "code");
}

const char *setting_name(uint16_t id)
{
    static const char *const names[] = {NULL,
                                        "HEADER_TABLE_SIZE",
                                        "ENABLE_PUSH",
                                        "MAX_CONCURRENT_STREAMS",
                                        "INITIAL_WINDOW_SIZE",
                                        "MAX_FRAME_SIZE",
                                        "MAX_HEADER_LIST_SIZE"};
    return name_of(names, sizeof names / sizeof *names, id, "setting");
}

// Text that grows at its end, and is cut where there is no more room.
struct line {
    char *text;
    size_t size, length;
};

static void add(struct line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length =
        vsnprintf(line->text + line->length, line->size - line->length, format, arguments);
    va_end(arguments);
    line->length += length > 0 ? (size_t)length : 0;
    if (line->length >= line->size)
        line->length = line->size - 1;
}

static void add_flags(struct line *line, const struct frame *frame)
{
    bool data = frame->type == FRAME_DATA, headers = frame->type == FRAME_HEADERS;
    bool block = headers || frame->type == FRAME_PUSH_PROMISE;
    if ((data || headers) && (frame->flags & FLAG_END_STREAM))
        add(line, " END_STREAM");
    if ((block || frame->type == FRAME_CONTINUATION) && (frame->flags & FLAG_END_HEADERS))
        add(line, " END_HEADERS");
    if ((data || block) && (frame->flags & FLAG_PADDED))
        add(line, " PADDED");
    if (headers && (frame->flags & FLAG_PRIORITY))
        add(line, " PRIORITY");
    if ((frame->type == FRAME_SETTINGS || frame->type == FRAME_PING) &&
        (frame->flags & FLAG_ACK))
        add(line, " ACK");
}

char *frame_describe(const struct frame *frame, char *text, size_t size)
{
    struct line line = {text, size, 0};
    const uint8_t *payload = frame->payload;
    add(&line, "%s", frame_type_name(frame->type));
    if (frame->stream || frame->type == FRAME_WINDOW_UPDATE)
        add(&line, " stream %u", frame->stream);
    add_flags(&line, frame);
    if (frame->type == FRAME_SETTINGS && frame->length % SETTING_BYTES == 0) {
        for (uint32_t i = 0; i < frame->length / SETTING_BYTES; i++) {
            struct setting setting = frame_setting(frame, i);
            add(&line, " %s=%u", setting_name(setting.id), setting.value);
        }
    } else if (frame->type == FRAME_WINDOW_UPDATE && frame->length == 4) {
        add(&line, " +%u", frame_read_u32(payload) & WINDOW_MAX);
    } else if (frame->type == FRAME_RST_STREAM && frame->length == 4) {
        add(&line, " %s", error_code_name(frame_read_u32(payload)));
    } else if (frame->type == FRAME_PRIORITY && frame->length == PRIORITY_BYTES) {
        add(&line, " after %u weight %d", frame_read_u32(payload) & STREAM_ID_MAX,
            payload[4] + 1);
    } else if (frame->type == FRAME_GOAWAY && frame->length >= 8) {
        add(&line, " last stream %u %s", frame_read_u32(payload) & STREAM_ID_MAX,
            error_code_name(frame_read_u32(payload + 4)));
        for (uint32_t i = 8; i < frame->length; i++) // debug data: anything may be in it
            add(&line, "%s%c", i == 8 ? " " : "",
                payload[i] >= ' ' && payload[i] < 127 ? payload[i] : '.');
    } else {
        add(&line, " %u bytes", frame->length);
    }
    return text;
}
