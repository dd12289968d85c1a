// flow.c: see flow.h. Read flow_send() first.
#include "flow.h"

#include <stdlib.h>

#include "smaller.h"

// ---- what comes ----------------------------------------------------------------------------

bool flow_head(struct flow *flow, struct fields *head)
{
    struct fields **last = &flow->heads;
    bool fits = head && hpack_bound(head->list, head->count) <= FRAME_SIZE_DEFAULT;
    int waiting = 0;
    for (; *last; last = &(*last)->next)
        waiting++;
    if (!fits || waiting > INTERIM_MAX) {
        free(head);
        return false;
    }
    *last = head;
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

bool flow_add(struct flow *flow, const void *bytes, uint32_t length)
{
    return bytes_add(&flow->content, bytes, length);
}

// ---- what goes -----------------------------------------------------------------------------

void flow_took(struct flow *flow, uint32_t length)
{
    bytes_drop(&flow->content, length);
    flow->passed += length;
    flow->owed += length;
}

// All that is left to be said is the end of the stream.
static bool only_end_is_left(const struct flow *flow)
{
    return flow->ended && flow->content.length == 0 && !flow->trailers;
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
        free(head);
    }
    return TURN_WAITS;
}

static enum transport_turn send_data(struct flow *flow, struct transport *t,
                                     struct stream *stream)
{
    uint32_t length = (uint32_t)smaller(flow->content.length, transport_may_send(t, stream));
    bool waits_for_window =
        flow->content.length > 0 && stream_may_send(&t->streams, stream) == 0;
    if (waits_for_window)
        return TURN_WAITS;
    if ((length == 0 && flow->content.length > 0) ||
        transport_room(t) < FRAME_HEADER_BYTES + TRANSPORT_ROOM)
        return TURN_NO_ROOM;
    bool ends = flow->ended && !flow->trailers && length == flow->content.length;
    transport_put_data(t, stream, bytes_at(&flow->content), length, ends);
    flow->done = ends;
    flow_took(flow, length);
    if (flow->content.length > 0 || flow->trailers)
        return TURN_OVER;
    return TURN_WAITS;
}

enum transport_turn flow_send(struct flow *flow, struct transport *t, struct stream *stream)
{
    enum transport_turn turn = send_heads(flow, t, stream);
    if (turn == TURN_NO_ROOM || !flow->head_sent || flow->done)
        return turn;
    if (flow->content.length > 0 || only_end_is_left(flow))
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
    bytes_free(&flow->content);
}
