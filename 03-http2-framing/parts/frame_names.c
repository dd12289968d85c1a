// frame_names.c: see frame_names.h.
#include "frame_names.h"

#include <stdarg.h>
#include <stdio.h>

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

static const char *setting_name(uint16_t id)
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
    if (length > 0)
        line->length += (size_t)length;
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
