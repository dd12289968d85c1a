// stream.c: see stream.h. Read stream_may_send() first, then ring_join().
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#define RETURN_BYTES (WINDOW_DEFAULT / 2) // when so much is used, it is worth a WINDOW_UPDATE

// ---- states --------------------------------------------------------------------------------

void streams_begin(struct streams *streams)
{
    *streams = (struct streams){.send_window = WINDOW_DEFAULT,
                                .receive_window = WINDOW_DEFAULT,
                                .initial_window = WINDOW_DEFAULT};
}

// Notes how a stream has ended. A client's streams are odd, so only odd numbers have a place.
static void remember(struct streams *streams, uint32_t id, enum stream_end end)
{
    uint32_t place = id / 2 % STREAM_HISTORY, shift = place % 4 * 2;
    uint8_t *byte = &streams->history[place / 4];
    *byte = (uint8_t)((*byte & ~(3u << shift)) | (uint32_t)end << shift);
}

// Takes a new highest number. The numbers below it that the client has left out are closed now,
// and were never open.
static void advance_to(struct streams *streams, uint32_t id)
{
    if ((id - streams->last_id) / 2 >= STREAM_HISTORY)
        memset(streams->history, 0, sizeof streams->history);
    else
        for (uint32_t skipped = streams->last_id + 2; skipped < id; skipped += 2)
            remember(streams, skipped, STREAM_SKIPPED);
    streams->last_id = id;
}

struct stream *stream_open(struct streams *streams, uint32_t id)
{
    struct stream *stream = malloc(sizeof *stream);
    if (!stream)
        return NULL;
    *stream = (struct stream){.id = id,
                              .next = streams->first,
                              .send_window = streams->initial_window,
                              .receive_window = WINDOW_DEFAULT,
                              .content_length = -1,
                              .request = "?"};
    if (stream->next)
        stream->next->previous = stream;
    streams->first = stream;
    streams->count++;
    advance_to(streams, id);
    return stream;
}

bool stream_is_idle(const struct streams *streams, uint32_t id)
{
    return id && (id % 2 == 0 || id > streams->last_id);
}

struct stream *stream_find(const struct streams *streams, uint32_t id)
{
    struct stream *stream = streams->first;
    while (stream && stream->id != id)
        stream = stream->next;
    return stream;
}

void stream_close(struct streams *streams, struct stream *stream, enum stream_end end)
{
    ring_leave(streams, stream);
    remember(streams, stream->id, end);
    if (stream->previous)
        stream->previous->next = stream->next;
    else
        streams->first = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
    streams->count--;
    answer_free(&stream->answer);
    free(stream);
}

void stream_refuse(struct streams *streams, uint32_t id)
{
    advance_to(streams, id);
    remember(streams, id, STREAM_RESET);
}

enum stream_end stream_end_of(const struct streams *streams, uint32_t id)
{
    uint32_t place = id / 2 % STREAM_HISTORY;
    if ((streams->last_id - id) / 2 >= STREAM_HISTORY)
        return STREAM_ENDED; // long ago
    return streams->history[place / 4] >> place % 4 * 2 & 3;
}

void streams_close_all(struct streams *streams)
{
    while (streams->first)
        stream_close(streams, streams->first, STREAM_ENDED);
}

// ---- flow control --------------------------------------------------------------------------

struct fault streams_receive(struct streams *streams, struct stream *stream, uint32_t length)
{
    if (length > streams->receive_window)
        return connection_fault(FLOW_CONTROL_ERROR, "more DATA than the connection's window");
    streams->receive_window -= length;
    if (!stream)
        return fault_none();
    if (length > stream->receive_window)
        return stream_fault(FLOW_CONTROL_ERROR, "more DATA than the stream's window");
    stream->receive_window -= length;
    return fault_none();
}

uint32_t streams_return(struct streams *streams, struct stream *stream, uint32_t length)
{
    uint32_t *unreturned = &streams->unreturned, *window = &streams->receive_window;
    if (stream) {
        unreturned = &stream->unreturned;
        window = &stream->receive_window;
    }
    *unreturned += length;
    if (*unreturned < RETURN_BYTES)
        return 0;
    uint32_t increment = *unreturned;
    *unreturned = 0;
    *window += increment;
    return increment;
}

struct fault streams_widen(struct streams *streams, struct stream *stream, uint32_t increment)
{
    int32_t *window = &streams->send_window;
    if (stream)
        window = &stream->send_window;
    if ((int64_t)*window + increment <= WINDOW_MAX) {
        *window += (int32_t)increment;
        return fault_none();
    }
    if (stream)
        return stream_fault(FLOW_CONTROL_ERROR, "a stream's window above 2^31-1");
    return connection_fault(FLOW_CONTROL_ERROR, "a window above 2^31-1");
}

struct fault streams_resize(struct streams *streams, uint32_t initial_window)
{
    int64_t change = (int64_t)initial_window - streams->initial_window;
    for (struct stream *stream = streams->first; stream; stream = stream->next) {
        if (stream->send_window + change > WINDOW_MAX)
            return connection_fault(FLOW_CONTROL_ERROR, "a stream's window above 2^31-1");
        stream->send_window = (int32_t)(stream->send_window + change);
    }
    streams->initial_window = (int32_t)initial_window;
    return fault_none();
}

uint32_t stream_may_send(const struct streams *streams, const struct stream *stream)
{
    int32_t least = streams->send_window;
    if (stream->send_window < least)
        least = stream->send_window;
    if (least < 0)
        return 0;
    return (uint32_t)least;
}

void stream_sent(struct streams *streams, struct stream *stream, uint32_t length)
{
    stream->send_window -= (int32_t)length;
    streams->send_window -= (int32_t)length;
}

// ---- which stream sends next ---------------------------------------------------------------

void ring_join(struct streams *streams, struct stream *stream)
{
    struct stream *next = streams->ring;
    if (stream->ring_next)
        return;
    if (!next) {
        streams->ring = stream->ring_next = stream->ring_previous = stream;
        return;
    }
    stream->ring_next = next; // in front of the one that sends next, so this one sends last
    stream->ring_previous = next->ring_previous;
    next->ring_previous->ring_next = stream;
    next->ring_previous = stream;
}

void ring_leave(struct streams *streams, struct stream *stream)
{
    if (!stream->ring_next)
        return;
    stream->ring_next->ring_previous = stream->ring_previous;
    stream->ring_previous->ring_next = stream->ring_next;
    if (streams->ring == stream)
        streams->ring = stream->ring_next;
    if (streams->ring == stream) // no other stream was in the ring
        streams->ring = NULL;
    stream->ring_next = stream->ring_previous = NULL;
}

void ring_turn(struct streams *streams)
{
    streams->ring = streams->ring->ring_next;
}
