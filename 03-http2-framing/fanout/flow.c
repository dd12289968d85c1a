// flow.c: see flow.h. Read flow_send() first.
#include "flow.h"

#include <stdlib.h>
#include <string.h>

#include "smaller.h"

#define ROOM_LEAST 1024 // bytes of memory for the content of a flow

static size_t all_bytes; // of memory, in all flows

size_t flow_bytes(void)
{
    return all_bytes;
}

// ---- what comes ----------------------------------------------------------------------------

bool flow_head(struct flow *flow, struct fields *head)
{
    struct fields **last = &flow->heads;
    bool fits = head && hpack_bound(head->list, head->count) <= FRAME_SIZE_DEFAULT;
    if (!fits || flow->heads_waiting > INTERIM_MAX) {
        free(head);
        return false;
    }
    while (*last)
        last = &(*last)->next;
    *last = head;
    flow->heads_waiting++;
    flow->final_head = !head->interim;
    return true;
}

bool flow_trailers(struct flow *flow, struct fields *trailers)
{
    flow->ended = true;
    if (trailers && trailers->count > 0)
        flow->trailers = trailers;
    else
        free(trailers); // no field is left: the content's end will do
    return trailers != NULL;
}

// Makes room for `length` bytes behind those that wait. Those are moved to the front only where
// they are fewer than what was taken since the last time: so a byte is not moved often.
static bool make_room(struct flow *flow, uint32_t length)
{
    size_t room = larger(flow->room, ROOM_LEAST), at = flow->at;
    if (at > 0 && at >= flow->length) {
        memmove(flow->bytes, flow->bytes + at, flow->length);
        flow->at = 0;
        at = 0;
    }
    while (room < at + flow->length + length)
        room *= 2;
    if (room == flow->room)
        return true;
    if (all_bytes + room - flow->room > FLOWS_MAX)
        return false;
    uint8_t *bytes = realloc(flow->bytes, room);
    if (!bytes)
        return false;
    all_bytes += room - flow->room;
    flow->bytes = bytes;
    flow->room = (uint32_t)room;
    return true;
}

bool flow_add(struct flow *flow, const void *bytes, uint32_t length)
{
    if (length == 0)
        return true;
    if (flow->room - flow->at - flow->length < length && !make_room(flow, length))
        return false;
    memcpy(flow->bytes + flow->at + flow->length, bytes, length);
    flow->length += length;
    return true;
}

// ---- what goes -----------------------------------------------------------------------------

static void free_bytes(struct flow *flow)
{
    all_bytes -= flow->room;
    free(flow->bytes);
    flow->bytes = NULL;
    flow->at = flow->length = flow->room = 0;
}

void flow_took(struct flow *flow, uint32_t length)
{
    flow->at += length;
    flow->length -= length;
    flow->passed += length;
    flow->owed += length;
    if (flow->length == 0)
        free_bytes(flow);
}

// All that is left to be said is the end of the stream.
static bool only_end_is_left(const struct flow *flow)
{
    return flow->ended && flow->length == 0 && !flow->trailers;
}

static enum transport_turn send_heads(struct flow *flow, struct transport *t,
                                      struct stream *stream)
{
    while (flow->heads) {
        struct fields *head = flow->heads;
        bool ends = !head->interim && only_end_is_left(flow);
        if (!transport_put_headers(t, stream, head->list, head->count, ends))
            return TURN_NO_ROOM;
        flow->head_sent = !head->interim;
        flow->done = ends;
        flow->heads = head->next;
        flow->heads_waiting--;
        free(head);
    }
    return TURN_WAITS;
}

static enum transport_turn send_data(struct flow *flow, struct transport *t,
                                     struct stream *stream)
{
    uint32_t length = (uint32_t)smaller(flow->length, transport_may_send(t, stream));
    bool waits_for_window = flow->length > 0 && stream_may_send(&t->streams, stream) == 0;
    if (waits_for_window)
        return TURN_WAITS;
    if ((length == 0 && flow->length > 0) ||
        transport_room(t) < FRAME_HEADER_BYTES + TRANSPORT_ROOM)
        return TURN_NO_ROOM;
    bool ends = flow->ended && !flow->trailers && length == flow->length;
    transport_put_data(t, stream, flow->bytes + flow->at, length, ends);
    flow->done = ends;
    flow_took(flow, length);
    if (flow->length > 0 || flow->trailers)
        return TURN_OVER;
    return TURN_WAITS;
}

enum transport_turn flow_send(struct flow *flow, struct transport *t, struct stream *stream)
{
    enum transport_turn turn = send_heads(flow, t, stream);
    if (turn == TURN_NO_ROOM || !flow->head_sent || flow->done)
        return turn;
    if (flow->length > 0 || only_end_is_left(flow))
        return send_data(flow, t, stream);
    if (!flow->ended)
        return TURN_WAITS;
    if (!transport_put_headers(t, stream, flow->trailers->list, flow->trailers->count, true))
        return TURN_NO_ROOM;
    flow->done = true;
    return TURN_WAITS;
}

bool flow_give_back(struct flow *flow, struct transport *t, struct stream *stream)
{
    if (flow->owed == 0)
        return true;
    if (transport_room(t) < TRANSPORT_ROOM)
        return false;
    transport_used(t, stream, flow->owed);
    flow->owed = 0;
    return true;
}

void flow_drop(struct flow *flow)
{
    while (flow->heads) {
        struct fields *head = flow->heads;
        flow->heads = head->next;
        free(head);
    }
    free(flow->trailers);
    flow->trailers = NULL;
    flow->heads_waiting = 0;
    free_bytes(flow);
}
