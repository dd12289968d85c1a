// call.c: see call.h. Read begin_call() and call_take_data() first, then take_messages() and
// send().
#include "call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "smaller.h"

#define LINGER_NS INT64_C(2000000000) // see close_call()

// ---- a call and its end --------------------------------------------------------------------

struct call *call_new(struct calls *calls, struct stream *stream)
{
    struct call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    call->calls = calls;
    call->stream = stream;
    call->http_status = 200;
    call->deadline_ns = call->wake_ns = call->message_ns = call->stall_ns = NEVER;
    stream->answer.owner = call;
    return call;
}

static void call_free(struct call *call)
{
    call->stream->answer.owner = NULL;
    bytes_free(&call->in);
    bytes_free(&call->out);
    bytes_free(&call->initial);
    bytes_free(&call->trailing);
    free(call);
}

void call_finish(struct call *call, int status, const char *text)
{
    if (call->finished)
        return;
    call->finished = true;
    call->status = status;
    if (text && text != call->text)
        snprintf(call->text, sizeof call->text, "%s", text);
    bytes_free(&call->in);
    call->deadline_ns = call->wake_ns = call->message_ns = NEVER;
    if (call->calls->counter)
        ++*call->calls->counter;
    if (!call->calls->transport.is_client && call->handler && !call->handler->unlogged)
        log_line("%s: %s, %u in, %u out%s%s", call->handler->path, rpc_status_name(status),
                 call->messages_in, call->messages_out, *call->text ? ": " : "", call->text);
    if (call->handler && call->handler->ended)
        call->handler->ended(call);
    transport_wants_to_send(&call->calls->transport, call->stream);
}

// Ends a call whose output does not matter any more.
static void give_up(struct call *call, enum rpc_status status, const char *text)
{
    call->cut_short = call->out.length > 0;
    bytes_free(&call->out);
    call_finish(call, status, text);
}

static void broken(struct transport *t, struct stream *stream, enum error_code code)
{
    struct call *call = call_of(stream);
    char text[80];
    snprintf(text, sizeof text, "the other side ended the stream, error code %d", (int)code);
    if (t->is_client && call->input_ended && !call->finished) { // the answer is whole
        call->hold = false;
        call_take_kept(call);
    }
    if (!t->is_client)
        call_finish(call, RPC_CANCELLED, NULL);
    else if (t->gone)
        call_finish(call, RPC_UNAVAILABLE, "the connection is gone");
    else
        call_finish(call, rpc_status_of_reset(code), text);
    call_free(call);
}

// ---- what is sent --------------------------------------------------------------------------

// The call is over. At a server its trailers say so, if no message is cut short by them. Where
// the client is about to end its one message, the server waits a moment for that: some clients
// lose the answer when RST_STREAM follows it (RFC 9113 §8.1).
static enum transport_turn close_call(struct call *call)
{
    struct transport *t = &call->calls->transport;
    struct stream *stream = call->stream;
    bool one = !call->handler || !call->handler->streams_in;
    enum error_code code = NO_ERROR; // the rest of a client's messages is not wanted
    if (stream->answered && !t->is_client)
        return TURN_WAITS;
    if (transport_room(t) < TRANSPORT_ROOM)
        return TURN_NO_ROOM;
    if (!t->is_client && !call->cut_short && !call_put_answer(call, true))
        return TURN_NO_ROOM;
    if (!t->is_client && !call->cut_short && one && !stream->remote_ended) {
        call->wake_ns = t->now_ns + LINGER_NS;
        calls_note_due(call, call->wake_ns);
        return TURN_WAITS;
    }
    if (t->is_client || call->cut_short)
        code = CANCEL;
    call_close(call, code);
    return TURN_OVER;
}

void call_close(struct call *call, enum error_code code)
{
    struct transport *t = &call->calls->transport;
    struct stream *stream = call->stream;
    call_free(call);
    transport_close(t, stream, code);
}

// Sends the next part of the call's messages. False: it may not, for now.
static bool put_messages(struct call *call)
{
    struct transport *t = &call->calls->transport;
    uint32_t length = (uint32_t)smaller(call->out.length, transport_may_send(t, call->stream));
    bool last = length == call->out.length && call->half_closed;
    if (length == 0 && !last)
        return false;
    transport_put_data(t, call->stream, bytes_at(&call->out), length, last);
    bytes_drop(&call->out, length);
    call->taken += length;
    if (call->out.length == 0)
        call->stall_ns = NEVER;
    return true;
}

// There is room for output again.
static void go_on(struct call *call)
{
    if (call->finished || call->out.length > CALL_OUT_LOW)
        return;
    if (call->waits_for_room) {
        call->waits_for_room = false;
        if (call->handler->go_on)
            call->handler->go_on(call);
    }
    call_take_kept(call);
}

// It is this call's turn.
static enum transport_turn send(struct transport *t, struct stream *stream)
{
    struct call *call = call_of(stream);
    if (!call)
        return TURN_WAITS;
    bool over = call->finished && (t->is_client || call->out.length == 0);
    if (over && (!t->is_client || call->headers_sent))
        return close_call(call);
    if (!call->headers_sent && call->http_status == 200 &&
        (t->is_client || call->out.length || call->answer_now)) {
        if (t->is_client ? !call_put_request(call) : !call_put_answer(call, false))
            return TURN_NO_ROOM;
        call->headers_sent = true;
        if (over) // a server must not get RST_STREAM for a stream that it does not know
            return TURN_OVER;
    }
    if (stream->answered || (call->out.length == 0 && !call->half_closed))
        return TURN_WAITS;
    if (transport_room(t) < FRAME_HEADER_BYTES + 2 * TRANSPORT_ROOM)
        return TURN_NO_ROOM;
    if (!put_messages(call))
        return TURN_WAITS; // for a window
    go_on(call);
    if (call->out.length || call->finished)
        return TURN_OVER;
    return TURN_WAITS;
}

// While output waits, the peer has to take some of it in each period.
static void begin_period(struct call *call)
{
    call->stall_ns = call->calls->transport.now_ns + CALL_STALL_MS * INT64_C(1000000);
    call->taken = 0;
    calls_note_due(call, call->stall_ns);
}

void call_send(struct call *call, const void *message, size_t length)
{
    uint8_t prefix[RPC_PREFIX_BYTES];
    if (call->finished || call->half_closed)
        return;
    if (call->out.length == 0)
        begin_period(call);
    rpc_put_prefix(prefix, (uint32_t)length);
    if (!bytes_add(&call->out, prefix, sizeof prefix) ||
        !bytes_add(&call->out, message, length)) {
        give_up(call, RPC_RESOURCE_EXHAUSTED, "no memory for a message");
        return;
    }
    call->messages_out++;
    transport_wants_to_send(&call->calls->transport, call->stream);
}

void call_begin_answer(struct call *call)
{
    call->answer_now = true;
    transport_wants_to_send(&call->calls->transport, call->stream);
}

bool call_has_room(struct call *call)
{
    call->waits_for_room = call->out.length > CALL_OUT_HIGH;
    return !call->waits_for_room;
}

void call_half_close(struct call *call)
{
    call->half_closed = true;
    transport_wants_to_send(&call->calls->transport, call->stream);
}

void call_cancel(struct call *call)
{
    give_up(call, RPC_CANCELLED, "the client has cancelled the call");
}

struct call *call_open(struct calls *calls, const struct handler *handler, void *state,
                       int64_t timeout_ms)
{
    struct stream *stream = transport_open(&calls->transport);
    if (!stream)
        return NULL;
    struct call *call = call_new(calls, stream);
    if (!call) {
        transport_reset(&calls->transport, stream, CANCEL);
        return NULL;
    }
    call->handler = handler;
    call->state = state;
    call->timeout_ms = timeout_ms;
    if (timeout_ms > 0) {
        call->deadline_ns = calls->transport.now_ns + timeout_ms * INT64_C(1000000);
        calls_note_due(call, call->deadline_ns);
    }
    transport_wants_to_send(&calls->transport, stream);
    return call;
}

// ---- time ----------------------------------------------------------------------------------

void calls_note_due(struct call *call, int64_t at_ns)
{
    if (at_ns < call->calls->due_ns)
        call->calls->due_ns = at_ns;
}

void call_wake_at(struct call *call, int64_t at_ns)
{
    call->wake_ns = at_ns;
    calls_note_due(call, at_ns);
}

// calls_due() comes soon.
static void make_due(struct calls *calls)
{
    calls->due_ns = 0;
    if (calls->wake)
        calls->wake(calls);
}

void call_wake(struct call *call)
{
    call->woken = true;
    make_due(call->calls);
}

void call_release(struct call *call)
{
    call->hold = false;
    call->released = true;
    make_due(call->calls);
}

// A period of CALL_STALL_MS is over. A client may read as slowly as it likes, but not while
// memory is scarce for all.
static void check_stall(struct call *call)
{
    if (bytes_are_scarce() && call->taken < CALL_STALL_BYTES) {
        give_up(call, RPC_RESOURCE_EXHAUSTED, "its messages are not taken");
        call->stall_ns = NEVER;
        transport_wants_to_send(&call->calls->transport, call->stream); // RST_STREAM
    } else {
        begin_period(call);
    }
}

// What is due of one call.
static void due(struct call *call, int64_t now_ns)
{
    if (call->released) {
        call->released = false;
        call_take_kept(call);
    }
    if (call->finished)
        return;
    if (now_ns >= call->deadline_ns) {
        give_up(call, RPC_DEADLINE_EXCEEDED, "the deadline has passed");
    } else if (now_ns >= call->message_ns) {
        give_up(call, RPC_RESOURCE_EXHAUSTED, "a message that comes too slowly");
    } else if (call->woken || now_ns >= call->wake_ns) {
        call->woken = false;
        call->wake_ns = NEVER;
        if (call->handler->go_on)
            call->handler->go_on(call);
    }
}

void calls_wake_all(struct calls *calls)
{
    for (struct stream *stream = calls->transport.streams.first; stream; stream = stream->next)
        if (call_of(stream) && !call_of(stream)->finished)
            call_wake(call_of(stream));
}

void calls_due(struct calls *calls)
{
    int64_t now_ns = calls->transport.now_ns;
    struct stream *next = calls->transport.streams.first;
    if (now_ns < calls->due_ns)
        return;
    calls->due_ns = NEVER;
    for (struct stream *stream; (stream = next);) {
        struct call *call = call_of(stream);
        next = stream->next;
        if (transport_room(&calls->transport) < TRANSPORT_ROOM) {
            calls->due_ns = now_ns; // the rest comes when there is room
            return;
        }
        if (!call)
            continue;
        if (call->finished && now_ns >= call->wake_ns) {
            call_close(call, NO_ERROR); // its client has not ended it
            continue;
        }
        if (!call->finished)
            due(call, now_ns);
        if (now_ns >= call->stall_ns)
            check_stall(call);
        calls_note_due(call, call->stall_ns);
        calls_note_due(call, call->deadline_ns);
        calls_note_due(call, call->wake_ns);
        calls_note_due(call, call->message_ns);
    }
}

void calls_begin(struct calls *calls, bool is_client, uint32_t streams_max)
{
    static const struct transport_user user = {
        .headers = call_take_fields, .data = call_take_data, .broken = broken, .send = send};
    calls->due_ns = NEVER;
    transport_begin(&calls->transport, &user, is_client, streams_max);
}
