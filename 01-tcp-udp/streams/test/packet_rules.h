// packet_rules.h: rules that hold for any bytes, for the tests and the fuzzer.
#ifndef PACKET_RULES_H
#define PACKET_RULES_H

#include "link_rules.h"

// Copies bytes into memory that ends where they end, so that a sanitizer sees a read beyond
// them.
static inline uint8_t *copy_exactly(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length + (length == 0));
    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

static inline bool same_frame(const struct frame *a, const struct frame *b)
{
    bool same = a->type == b->type && a->stream == b->stream && a->offset == b->offset &&
                a->length == b->length && a->value == b->value && a->code == b->code &&
                a->delay_us == b->delay_us && a->ack_count == b->ack_count;
    if (same && a->ack_count)
        same = !memcmp(a->acks, b->acks, a->ack_count * sizeof *a->acks);
    if (same && a->data && a->type < FRAME_PATH_CHALLENGE)
        same = !memcmp(a->data, b->data, a->length);
    return same;
}

// A frame that was read, written, and read again is the same.
static inline const char *frame_fault(const struct frame *frame, size_t used)
{
    static uint8_t out[70000];
    struct frame again;
    if (frame->type == FRAME_PADDING)
        return NULL;
    size_t length = frame_write(out, sizeof out, frame);
    if (length == 0 || length > used)
        return "a frame grows when it is written";
    if (frame_read(out, length, &again) != (ssize_t)length || !same_frame(frame, &again))
        return "a frame is not read as it was written";
    for (uint32_t i = 0; i < frame->ack_count; i++)
        if (frame->acks[i].from >= frame->acks[i].to ||
            (i > 0 && frame->acks[i].to >= frame->acks[i - 1].from))
            return "the ranges of an ACK are not apart";
    return NULL;
}

static inline const char *header_fault(const struct header *h, size_t used)
{
    uint8_t out[HEADER_MAX];
    struct header again;
    if (h->type > PACKET_SHORT)
        return NULL;
    size_t length = header_write(out, h);
    if (length > used || header_read(out, length, &again) != length || again.type != h->type ||
        again.number != h->number || memcmp(again.to, h->to, ID_BYTES))
        return "a header is not read as it was written";
    return NULL;
}

// Reads one datagram.
static inline const char *datagram_fault(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = copy_exactly(bytes, length);
    struct header header;
    struct frame frame;
    size_t at = header_read(copy, length, &header);
    const char *fault = NULL;
    if (at > length)
        fault = "a header is longer than its datagram";
    else if (at > 0)
        fault = header_fault(&header, at);
    while (!fault && at > 0 && at < length && header.type <= PACKET_SHORT) {
        ssize_t used = frame_read(copy + at, length - at, &frame);
        if (used < 0)
            break;
        if (used == 0 || (size_t)used > length - at)
            fault = "a frame is longer than its datagram";
        else
            fault = frame_fault(&frame, (size_t)used);
        at += (size_t)used;
    }
    free(copy);
    return fault;
}

// Two ends have begun to talk; then one of them gets these frames, in a packet of its peer, as
// somebody on the path could write it. Nothing may break but the connection.
static inline const char *connection_fault(bool to_server, const uint8_t *frames, size_t length)
{
    static const struct link_kind kind = {.delay_ms = 10, .hostile = 1};
    static struct link link;
    link_begin(&link, 1, &kind, 20000);
    link.kind.hostile = 0;
    for (int i = 0; i < 12; i++)
        link_step(&link);
    link.kind.hostile = 1; // what is wrong from now on is not the ends' fault
    struct connection *c = &link.ends[to_server];
    struct header header = {.type = PACKET_SHORT, .to = c->id, .number = c->largest + 1};
    uint8_t *copy = copy_exactly(frames, length);
    connection_receive(c, &header, copy, length, length, &c->path.address, link.now_ns);
    free(copy);
    link_send(&link, to_server);
    for (int i = 0;
         i < 60 && !link.fault && link.ends[0].state != CLOSED && link.ends[1].state != CLOSED;
         i++)
        link_step(&link);
    bool too_much = c->in_total > c->in_max && c->state < CLOSING;
    const char *fault = NULL;
    if (link.fault && !strcmp(link.fault, "an end sends without end"))
        fault = link.fault;
    if (too_much)
        fault = "more bytes than the window were taken";
    link_end(&link);
    return fault;
}

#endif
