// stream.c: see stream.h.
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "smaller.h"

bool stream_begin(struct stream *s, uint64_t id, uint8_t place, uint32_t window)
{
    *s = (struct stream){.id = id, .place = place, .window = window, .in_size = SIZE_UNKNOWN};
    s->buffer = malloc(window);
    s->in_max = window;
    return s->buffer != NULL;
}

void stream_end(struct stream *s)
{
    free(s->buffer);
    s->buffer = NULL;
    ranges_free(&s->lost);
    ranges_free(&s->here);
}

// ---- out -----------------------------------------------------------------------------------

bool stream_next(struct stream *s, uint64_t max, uint64_t *credit, struct chunk *chunk)
{
    struct range bytes = {s->out_next, s->out_next};
    if (s->reset)
        return false;
    if (!ranges_take(&s->lost, max, &bytes) && !s->end_lost) {
        uint64_t length = smaller(s->out_here - s->out_next, *credit);
        length = smaller(length, max);
        if (s->out_max - s->out_next < length)
            length = s->out_max - s->out_next;
        bool ends = s->out_whole && s->out_next + length == s->out_here && !s->end_sent;
        if (length == 0 && !ends)
            return false;
        bytes.to += length;
        s->out_next = bytes.to;
        *credit -= length;
    }
    *chunk = (struct chunk){.offset = bytes.from,
                            .length = (uint16_t)(bytes.to - bytes.from),
                            .stream = s->place,
                            .end = s->out_whole && bytes.to == s->out_here};
    if (chunk->end) {
        s->end_sent = true;
        s->end_lost = false;
    }
    return true;
}

void stream_lost(struct stream *s, const struct chunk *chunk)
{
    if (chunk->end)
        s->end_lost = true;
    if (ranges_add(&s->lost, chunk->offset, chunk->offset + chunk->length))
        return;
    if (s->lost.count > 0) { // no room for a range more: all from the lowest one on
        s->lost.list[0].to = s->out_next;
        s->lost.count = 1;
    } else {
        s->reset = s->reset_due = true; // no memory at all: the peer is told so
        s->reset_code = CONNECTION_REFUSED;
    }
}

// ---- in ------------------------------------------------------------------------------------

// Measures how long bytes wait here for others that come before them.
static void note_gap(struct stream *s, int64_t now)
{
    bool gap = s->here.count > 0 && s->here.list[0].from > s->in_next;
    if (gap && s->gap_since_ns == 0) {
        s->gap_since_ns = now;
    } else if (!gap && s->gap_since_ns != 0) {
        int64_t took = now - s->gap_since_ns;
        s->gap_ns += took;
        if (took > s->gap_longest_ns)
            s->gap_longest_ns = took;
        s->gap_since_ns = 0;
    }
}

static void keep(struct stream *s, uint64_t offset, const uint8_t *data, uint64_t length)
{
    size_t at = offset % s->window, first = smaller(length, s->window - at);
    memcpy(s->buffer + at, data, first);
    memcpy(s->buffer, data + first, length - first);
}

int stream_receive(struct stream *s, const struct frame *f, int64_t now)
{
    uint64_t offset = f->offset, end = f->offset + f->length;
    bool ends = f->type == FRAME_STREAM_END;
    if (end > s->in_max)
        return FLOW_CONTROL_ERROR;
    if (end > s->in_size ||
        (ends && (end < s->in_top || (s->in_size != SIZE_UNKNOWN && s->in_size != end))))
        return FINAL_SIZE_ERROR;
    if (end > s->in_next && f->length > 0 && !s->in_over) {
        uint64_t skipped = 0; // bytes that the program has already
        if (offset < s->in_next)
            skipped = s->in_next - offset;
        if (!ranges_add(&s->here, offset + skipped, end))
            return -1;
        keep(s, offset + skipped, f->data + skipped, f->length - skipped);
    }
    if (ends)
        s->in_size = end;
    if (end > s->in_top)
        s->in_top = end;
    note_gap(s, now);
    return NO_ERROR;
}

size_t stream_readable(const struct stream *s, const uint8_t **bytes)
{
    if (s->here.count == 0 || s->here.list[0].from > s->in_next)
        return 0;
    size_t at = s->in_next % s->window;
    *bytes = s->buffer + at;
    return smaller(s->here.list[0].to - s->in_next, s->window - at);
}

void stream_take(struct stream *s, size_t length)
{
    struct range taken;
    ranges_take(&s->here, length, &taken);
    s->in_next += length;
    if (s->in_size == SIZE_UNKNOWN && s->in_max - s->in_next < s->window / 2) {
        s->in_max = s->in_next + s->window;
        s->window_due = true;
    }
}
