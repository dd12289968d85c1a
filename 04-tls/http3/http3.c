// http3.c: see http3.h. Read frame_read() first, then check_place().
#include "http3.h"

#include <stdlib.h>
#include <string.h>

#include "smaller.h"

struct fault connection_fault(enum http3_error code, const char *why)
{
    return (struct fault){code, false, why};
}

struct fault stream_fault(enum http3_error code, const char *why)
{
    return (struct fault){code, true, why};
}

const char *http3_error_name(uint64_t code)
{
    static const char *const names[] = {"H3_NO_ERROR",
                                        "H3_GENERAL_PROTOCOL_ERROR",
                                        "H3_INTERNAL_ERROR",
                                        "H3_STREAM_CREATION_ERROR",
                                        "H3_CLOSED_CRITICAL_STREAM",
                                        "H3_FRAME_UNEXPECTED",
                                        "H3_FRAME_ERROR",
                                        "H3_EXCESSIVE_LOAD",
                                        "H3_ID_ERROR",
                                        "H3_SETTINGS_ERROR",
                                        "H3_MISSING_SETTINGS",
                                        "H3_REQUEST_REJECTED",
                                        "H3_REQUEST_CANCELLED",
                                        "H3_REQUEST_INCOMPLETE",
                                        "H3_MESSAGE_ERROR",
                                        "H3_CONNECT_ERROR",
                                        "H3_VERSION_FALLBACK"};
    static const char *const qpack_names[] = {"QPACK_DECOMPRESSION_FAILED",
                                              "QPACK_ENCODER_STREAM_ERROR",
                                              "QPACK_DECODER_STREAM_ERROR"};
    if (code >= H3_NO_ERROR && code <= H3_VERSION_FALLBACK)
        return names[code - H3_NO_ERROR];
    if (code >= QPACK_DECOMPRESSION_FAILED && code <= QPACK_DECODER_STREAM_ERROR)
        return qpack_names[code - QPACK_DECOMPRESSION_FAILED];
    return NULL;
}

// ---- numbers -------------------------------------------------------------------------------

size_t number_read(const uint8_t *bytes, size_t length, uint64_t *number)
{
    if (length == 0)
        return 0;
    size_t size = (size_t)1 << (bytes[0] >> 6);
    if (length < size)
        return 0;
    *number = bytes[0] & 0x3f;
    for (size_t i = 1; i < size; i++)
        *number = *number << 8 | bytes[i];
    return size;
}

uint8_t *number_write(uint8_t *out, uint64_t number)
{
    int power = 0; // the number takes 2^power bytes
    while (power < 3 && number >> ((8 << power) - 2))
        power++;
    int size = 1 << power;
    for (int i = 0; i < size; i++)
        out[i] = (uint8_t)(number >> 8 * (size - 1 - i));
    out[0] |= (uint8_t)(power << 6);
    return out + size;
}

// ---- which frame may come where (§7.2, table 1) --------------------------------------------

// The types that HTTP/2 has and HTTP/3 has not: PRIORITY, PING, WINDOW_UPDATE, CONTINUATION.
static bool is_of_http2(uint64_t type)
{
    return type == 0x02 || type == 0x06 || type == 0x08 || type == 0x09;
}

static bool is_kept(uint64_t type)
{
    return type == FRAME_HEADERS || type == FRAME_SETTINGS || type == FRAME_GOAWAY ||
           type == FRAME_MAX_PUSH_ID || type == FRAME_CANCEL_PUSH;
}

// What is wrong with the place of a frame; NULL: nothing.
static const char *misplaced(const struct frame_reader *reader)
{
    uint64_t type = reader->type;
    bool message = type == FRAME_DATA || type == FRAME_HEADERS;
    if (is_of_http2(type))
        return "a frame type that only HTTP/2 has";
    if (reader->control && (message || type == FRAME_PUSH_PROMISE))
        return "a request's frame on a control stream";
    if (reader->control && reader->began && type == FRAME_SETTINGS)
        return "SETTINGS for the second time";
    if (!reader->control && !message && is_kept(type))
        return "a control frame on a request stream";
    if (!reader->from_client && type == FRAME_MAX_PUSH_ID)
        return "MAX_PUSH_ID of a server";
    if (reader->from_client && type == FRAME_PUSH_PROMISE)
        return "PUSH_PROMISE of a client";
    if (type == FRAME_DATA && reader->stage == STAGE_HEAD)
        return "DATA in front of HEADERS";
    if (message && reader->stage == STAGE_END)
        return "a frame behind the trailers";
    return NULL;
}

static struct fault check_place(const struct frame_reader *reader)
{
    const char *wrong = misplaced(reader);
    if (reader->control && !reader->began && reader->type != FRAME_SETTINGS)
        return connection_fault(H3_MISSING_SETTINGS, "the first control frame is no SETTINGS");
    if (wrong)
        return connection_fault(H3_FRAME_UNEXPECTED, wrong);
    if (reader->type == FRAME_PUSH_PROMISE) // this client allows no push (§7.2.5)
        return connection_fault(H3_ID_ERROR, "PUSH_PROMISE that was not allowed");
    return (struct fault){0};
}

// ---- reading -------------------------------------------------------------------------------

static void wrong(struct frame *frame, struct fault fault)
{
    frame->event = FRAME_WRONG;
    frame->fault = fault;
}

// Type and length are known: is the frame allowed, and is its payload wanted?
static void begin_payload(struct frame_reader *reader, struct frame *frame)
{
    struct fault fault = check_place(reader);
    reader->in_payload = true;
    reader->head_length = 0;
    reader->skipping = reader->type != FRAME_DATA && !is_kept(reader->type);
    frame->type = reader->type;
    if (fault.code) {
        wrong(frame, fault);
    } else if (reader->type == FRAME_HEADERS && reader->left > SECTION_MAX) {
        // Without a dynamic table nothing later depends on a block that is not read.
        reader->skipping = true;
        frame->event = FRAME_TOO_LONG;
    } else if (is_kept(reader->type) && reader->type != FRAME_HEADERS &&
               reader->left > CONTROL_MAX) {
        wrong(frame, connection_fault(H3_EXCESSIVE_LOAD, "a control frame of too many bytes"));
    }
    reader->began = true;
}

// Reads type and length, which may come byte by byte.
static size_t read_head(struct frame_reader *reader, const uint8_t *bytes, size_t length,
                        struct frame *frame)
{
    size_t before = reader->head_length;
    size_t taken = smaller(length, FRAME_HEAD - before);
    memcpy(reader->head + before, bytes, taken);
    size_t there = before + taken;
    size_t type = number_read(reader->head, there, &reader->type);
    size_t size = 0;
    if (type)
        size = number_read(reader->head + type, there - type, &reader->left);
    reader->head_length = there;
    if (!size)
        return taken;
    begin_payload(reader, frame);
    return type + size - before;
}

// Collects the payload of a frame that is given to the caller as a whole. What is whole in
// `bytes` is not copied.
static size_t read_whole(struct frame_reader *reader, const uint8_t *bytes, size_t length,
                         struct frame *frame)
{
    size_t taken = smaller(length, reader->left);
    frame->bytes = bytes;
    if (taken < reader->left || reader->kept_length) {
        if (!reader->kept)
            reader->kept = malloc(reader->left);
        if (!reader->kept) {
            wrong(frame, connection_fault(H3_INTERNAL_ERROR, "no memory for a frame"));
            return 0;
        }
        memcpy(reader->kept + reader->kept_length, bytes, taken);
        reader->kept_length += taken;
        frame->bytes = reader->kept;
    }
    reader->left -= taken;
    if (reader->left)
        return taken;
    frame->event = FRAME_WHOLE;
    frame->length = larger(reader->kept_length, taken);
    reader->kept_length = 0;
    reader->in_payload = false;
    return taken;
}

// Reads a payload that is passed on as it comes, or thrown away.
static size_t read_part(struct frame_reader *reader, const uint8_t *bytes, size_t length,
                        struct frame *frame)
{
    size_t taken = smaller(length, reader->left);
    reader->left -= taken;
    if (!reader->skipping && taken) {
        frame->event = FRAME_CONTENT;
        frame->bytes = bytes;
        frame->length = taken;
    }
    if (!reader->left)
        reader->in_payload = false;
    return taken;
}

size_t frame_read(struct frame_reader *reader, const uint8_t *bytes, size_t length,
                  struct frame *frame)
{
    size_t used = 0;
    *frame = (struct frame){.event = FRAME_MORE, .type = reader->type};
    if (!reader->in_payload) { // the payload of the last frame has been used
        free(reader->kept);
        reader->kept = NULL;
    }
    while (frame->event == FRAME_MORE) {
        bool whole = reader->in_payload && !reader->skipping && reader->type != FRAME_DATA;
        if (used == length && !(reader->in_payload && reader->left == 0))
            break;
        if (!reader->in_payload)
            used += read_head(reader, bytes + used, length - used, frame);
        else if (whole)
            used += read_whole(reader, bytes + used, length - used, frame);
        else
            used += read_part(reader, bytes + used, length - used, frame);
    }
    return used;
}

struct fault frame_end(const struct frame_reader *reader)
{
    if (reader->control)
        return connection_fault(H3_CLOSED_CRITICAL_STREAM, "the control stream has ended");
    if (reader->in_payload || reader->head_length)
        return connection_fault(H3_FRAME_ERROR, "the stream has ended within a frame");
    if (reader->stage == STAGE_HEAD)
        return stream_fault(H3_REQUEST_INCOMPLETE, "the stream has ended without a message");
    return (struct fault){0};
}

void frame_reader_free(struct frame_reader *reader)
{
    free(reader->kept);
    reader->kept = NULL;
}

// ---- control frames ------------------------------------------------------------------------

// §7.2.4.1: what these meant in HTTP/2 is said otherwise in HTTP/3.
static bool is_setting_of_http2(uint64_t id)
{
    return id == 0x00 || (id >= 0x02 && id <= 0x05);
}

struct fault settings_check(const uint8_t *payload, size_t length)
{
    uint64_t seen[SETTINGS_SEEN], id, value;
    int count = 0;
    for (size_t at = 0; at < length;) {
        size_t id_size = number_read(payload + at, length - at, &id), value_size = 0;
        if (id_size)
            value_size = number_read(payload + at + id_size, length - at - id_size, &value);
        if (!value_size)
            return connection_fault(H3_FRAME_ERROR, "SETTINGS that end within a setting");
        at += id_size + value_size;
        if (is_setting_of_http2(id))
            return connection_fault(H3_SETTINGS_ERROR, "a setting that only HTTP/2 has");
        for (int i = 0; i < count; i++)
            if (seen[i] == id)
                return connection_fault(H3_SETTINGS_ERROR, "a setting that is there twice");
        if (count == SETTINGS_SEEN)
            return connection_fault(H3_EXCESSIVE_LOAD, "too many settings");
        seen[count++] = id;
    }
    return (struct fault){0};
}

struct fault frame_number(const struct frame *frame, uint64_t *number)
{
    size_t size = number_read(frame->bytes, frame->length, number);
    if (!size || size != frame->length)
        return connection_fault(H3_FRAME_ERROR, "a control frame that is not one number");
    return (struct fault){0};
}

uint8_t *frame_write_head(uint8_t *out, enum frame_type type, uint64_t length)
{
    return number_write(number_write(out, type), length);
}

// QPACK_MAX_TABLE_CAPACITY and QPACK_BLOCKED_STREAMS are 0 if they are not sent: that is what
// this program wants.
uint8_t *frame_write_settings(uint8_t *out)
{
    uint8_t payload[2 * NUMBER_BYTES];
    uint8_t *end = number_write(number_write(payload, SETTING_SECTION_SIZE), SECTION_MAX);
    size_t length = (size_t)(end - payload);
    out = frame_write_head(number_write(out, STREAM_CONTROL), FRAME_SETTINGS, length);
    memcpy(out, payload, length);
    return out + length;
}

uint8_t *frame_write_goaway(uint8_t *out, uint64_t id)
{
    uint8_t number[NUMBER_BYTES];
    size_t length = (size_t)(number_write(number, id) - number);
    out = frame_write_head(out, FRAME_GOAWAY, length);
    memcpy(out, number, length);
    return out + length;
}
