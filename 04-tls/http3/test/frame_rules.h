// frame_rules.h: what has to be true of the readers for any bytes: for test.c and fuzz.c.
#ifndef FRAME_RULES_H
#define FRAME_RULES_H

#include <string.h>

#include "http3.h"
#include "message.h"

#define BYTES(text)  (const uint8_t *)(text), sizeof(text) - 1
#define RULES_EVENTS 4096

struct events {
    uint64_t log[RULES_EVENTS]; // event, type and bytes of each
    int count;
    uint64_t content, whole; // sums over all bytes that were passed on
    enum http3_error code;
};

static inline uint64_t sum_of(uint64_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

// A frame of DATA may come in parts: those are only summed.
static inline void events_add(struct events *events, const struct frame *frame)
{
    if (frame->event == FRAME_CONTENT) {
        events->content = sum_of(events->content, frame->bytes, frame->length);
        return;
    }
    if (frame->event == FRAME_WHOLE)
        events->whole = sum_of(events->whole, frame->bytes, frame->length);
    events->code = frame->fault.code;
    if (events->count < RULES_EVENTS)
        events->log[events->count++] = frame->type << 24 | frame->length << 4 | frame->event;
}

// Reads the bytes in two pieces, as a request stream does whose owner finds all messages good.
// Returns what is wrong with the reader; NULL: nothing.
static inline const char *events_read(const uint8_t *bytes, size_t length, size_t cut,
                                      bool control, bool from_client, struct events *events)
{
    struct frame_reader reader = {.control = control, .from_client = from_client};
    struct frame frame = {.event = FRAME_MORE};
    size_t used = 0, end = cut;
    memset(events, 0, sizeof *events);
    do {
        used += frame_read(&reader, bytes + used, end - used, &frame);
        if (used > end)
            return "more bytes are used than there are";
        if (frame.event == FRAME_MORE && used < end)
            return "bytes are left, and nothing is told";
        if (frame.event == FRAME_CONTENT && frame.length == 0)
            return "a part of DATA that is empty";
        if (frame.event != FRAME_MORE)
            events_add(events, &frame);
        if (frame.event == FRAME_WHOLE && frame.type == FRAME_HEADERS) {
            if (reader.stage == STAGE_CONTENT)
                reader.stage = STAGE_END;
            else
                reader.stage = STAGE_CONTENT;
        }
        if (frame.event == FRAME_MORE && end == cut && cut < length)
            end = length;
        else if (frame.event == FRAME_MORE)
            break;
    } while (frame.event != FRAME_WRONG);
    frame_reader_free(&reader);
    return NULL;
}

// The place of the cut must change nothing.
static inline const char *frames_fault(const uint8_t *bytes, size_t length, size_t cut)
{
    static struct events whole, two;
    for (int way = 0; way < 4; way++) {
        const char *fault = events_read(bytes, length, length, way & 1, way & 2, &whole);
        if (!fault)
            fault = events_read(bytes, length, cut, way & 1, way & 2, &two);
        if (fault)
            return fault;
        if (whole.count != two.count || whole.content != two.content ||
            whole.whole != two.whole || whole.code != two.code ||
            memcmp(whole.log, two.log, sizeof *whole.log * (size_t)whole.count) != 0)
            return "the same bytes in two pieces are read otherwise";
    }
    settings_check(bytes, length);
    return NULL;
}

// What can be decoded can be encoded, and decodes to the same.
static inline const char *fields_fault(const uint8_t *bytes, size_t length)
{
    static struct qpack_list list, again;
    static uint8_t out[4 * SECTION_MAX];
    struct request request;
    struct response_head head;
    if (!qpack_decode(bytes, length, &list) || list.too_long)
        return NULL;
    message_request(&list, &request);
    message_response(&list, &head);
    message_trailers(&list);
    size_t size = qpack_encode(out, sizeof out, list.fields, list.count);
    if (!size || !qpack_decode(out, size, &again) || again.count != list.count)
        return "encoded again, the fields are not there";
    for (size_t i = 0; i < list.count; i++) {
        const struct http_field *a = &list.fields[i], *b = &again.fields[i];
        if (a->name.length != b->name.length || a->value.length != b->value.length ||
            memcmp(a->name.at, b->name.at, a->name.length) != 0 ||
            memcmp(a->value.at, b->value.at, a->value.length) != 0)
            return "encoded again, a field is another one";
    }
    return NULL;
}

#endif
