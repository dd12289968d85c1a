// call_receive.c: see call.h. Messages and header fields that come. Read begin_call() first,
// then call_take_data() and take_messages().
#include <stdio.h>
#include <string.h>

#include "call.h"

// ---- messages that come --------------------------------------------------------------------

// True while the handler is to get no further message: it is busy; or, at a server, its output
// waits. (If both ends did that, each could wait for the other for ever.)
static bool is_held(const struct call *call)
{
    bool output_waits = call->out.length > CALL_OUT_HIGH;
    return call->hold || (output_waits && !call->calls->transport.is_client);
}

// False: the call is ended.
static bool check_prefix(struct call *call, const struct rpc_prefix *prefix)
{
    if (prefix->compressed == 1 && call->encoded) {
        call_add_metadata(call, true, "grpc-accept-encoding", "identity", 8);
        call_finish(call, RPC_UNIMPLEMENTED, "only the encoding identity is known here");
    } else if (prefix->compressed) {
        call_finish(call, RPC_INTERNAL, "a compressed message, and no encoding that says how");
    } else if (prefix->length > RPC_MESSAGE_MAX) {
        call_finish(call, RPC_RESOURCE_EXHAUSTED, "a message of more than 4194304 bytes");
    }
    return !call->finished;
}

// Gives the handler each message that is whole. Returns how many bytes were used. Where only
// one message may come, it has to be the only one, so the server waits for the end.
static size_t take_messages(struct call *call, const uint8_t *bytes, size_t length)
{
    bool one = !call->handler->streams_in && !call->calls->transport.is_client;
    size_t used = 0;
    struct rpc_prefix prefix;
    while (!call->finished && !is_held(call) &&
           rpc_read_prefix(bytes + used, length - used, &prefix)) {
        size_t whole = RPC_PREFIX_BYTES + (size_t)prefix.length;
        if (!check_prefix(call, &prefix) || (length - used < whole))
            break;
        if (one && (length - used > whole || call->messages_in)) {
            call_finish(call, RPC_UNIMPLEMENTED,
                        "more than one message, to a method that takes one");
            break;
        }
        if (one && !call->input_ended)
            break;
        call->messages_in++;
        call->message_ns = NEVER;
        if (call->handler->message)
            call->handler->message(call, bytes + used + RPC_PREFIX_BYTES, prefix.length);
        used += whole;
    }
    return used;
}

// The peer may send as much as was used. What waits because the call is held is not given back:
// so the peer stops when the window is full. A message that has begun gets all the window it
// needs to become whole.
static void give_window(struct call *call)
{
    uint32_t keep = 0;
    if (is_held(call))
        keep = (uint32_t)call->in.length;
    if (call->finished || call->owed <= keep)
        return;
    transport_used(&call->calls->transport, call->stream, call->owed - keep);
    call->owed = keep;
}

// All messages that are here are taken; the rest is what has come of the next one.
static void after_messages(struct call *call)
{
    give_window(call);
    if (call->finished || is_held(call))
        return;
    if (call->in.length && call->message_ns == NEVER) {
        call->message_ns = call->calls->transport.now_ns + CALL_MESSAGE_MS * INT64_C(1000000);
        calls_note_due(call, call->message_ns);
    }
    if (!call->input_ended || call->half_closed_told)
        return;
    call->half_closed_told = true;
    if (call->in.length)
        call_finish(call, RPC_INTERNAL, "a message that is cut short");
    else if (call->calls->transport.is_client)
        call_finish(call, call->status, call->text);
    else if (!call->handler->streams_in && call->messages_in == 0)
        call_finish(call, RPC_UNIMPLEMENTED, "no message, to a method that takes one");
    else if (call->handler->half_closed)
        call->handler->half_closed(call);
}

// Goes on with what has come before.
void call_take_kept(struct call *call)
{
    if (call->in.length && !call->finished) {
        size_t used = take_messages(call, bytes_at(&call->in), call->in.length);
        if (!call->finished)
            bytes_drop(&call->in, used);
    }
    after_messages(call);
}

static void take_bytes(struct call *call, const uint8_t *bytes, size_t length)
{
    if (call->finished)
        return;
    call->owed += (uint32_t)length;
    size_t used = 0;
    if (call->in.length == 0) // as a rule a message comes in one piece
        used = take_messages(call, bytes, length);
    if (!call->finished && !bytes_add(&call->in, bytes + used, length - used))
        call_finish(call, RPC_RESOURCE_EXHAUSTED, "no memory for a message");
    if (used == 0 || call->in.length > 0)
        call_take_kept(call);
    else
        after_messages(call);
}

struct fault call_take_data(struct transport *t, struct stream *stream, const uint8_t *bytes,
                            uint32_t length, bool ends)
{
    struct call *call = call_of(stream);
    if (!call)
        return fault_none();
    if (ends && stream->answered && !t->is_client && call->finished) {
        call_close(call, NO_ERROR); // it has only waited for this
        return fault_none();
    }
    call->input_ended = ends;
    if (ends && t->is_client) {
        call->status = RPC_INTERNAL;
        snprintf(call->text, sizeof call->text, "an answer that ends without trailers");
    }
    take_bytes(call, bytes, length);
    return fault_none();
}

// ---- header fields that come ---------------------------------------------------------------

const struct hpack_field *call_field(const struct hpack_list *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct hpack_field *field = &fields->fields[i];
        if (http_is(field_name(field), name))
            return field;
    }
    return NULL;
}

static const struct handler *find_handler(const struct calls *calls, struct http_text path,
                                          bool *service_is_known)
{
    size_t service = path.length;
    while (service > 1 && path.at[service - 1] != '/')
        service--;
    *service_is_known = false;
    for (size_t i = 0; calls->services[i]; i++)
        for (const struct handler *at = calls->services[i]; at->path; at++) {
            if (http_is(path, at->path))
                return at;
            if (service > 1 && !strncmp(at->path, path.at, service))
                *service_is_known = true;
        }
    return NULL;
}

// Reads the fields that say how the call is to be done. Ends the call if that cannot be.
static void read_call(struct call *call, const struct hpack_list *list,
                      const struct request *request)
{
    const struct hpack_field *type = call_field(list, "content-type");
    const struct hpack_field *timeout = call_field(list, "grpc-timeout");
    const struct hpack_field *encoding = call_field(list, "grpc-encoding");
    int64_t ns = NEVER, now_ns = call->calls->transport.now_ns;
    bool service_is_known;
    if (!http_is(request->method, "POST"))
        call->http_status = 405;
    else if (!type || !rpc_is_content_type(type->value, type->value_length))
        call->http_status = 415;
    if (call->http_status != 200) {
        call_finish(call, RPC_UNKNOWN, NULL);
        return;
    }
    const struct handler *handler = find_handler(call->calls, request->path, &service_is_known);
    call->encoded = encoding && !http_is(field_value(encoding), "identity");
    if (!handler && service_is_known)
        call_finish(call, RPC_UNIMPLEMENTED, "unknown method");
    else if (!handler)
        call_finish(call, RPC_UNIMPLEMENTED, "unknown service");
    else if (timeout && !rpc_read_timeout(timeout->value, timeout->value_length, &ns))
        call_finish(call, RPC_INTERNAL, "a grpc-timeout that is none");
    if (ns == 0)
        call_finish(call, RPC_DEADLINE_EXCEEDED, "no time at all");
    if (timeout && !call->finished) {
        call->deadline_ns = now_ns + ns;
        calls_note_due(call, call->deadline_ns);
    }
    call->handler = handler;
}

// A call of a client.
static struct fault begin_call(struct transport *t, struct stream *stream,
                               const struct hpack_list *list, bool ends)
{
    struct request request;
    const char *wrong = NULL;
    if (!list->too_long)
        wrong = request_read(list, &request);
    if (wrong)
        return stream_fault(PROTOCOL_ERROR, wrong);
    struct call *call = call_new(calls_of(t), stream);
    if (!call)
        return stream_fault(REFUSED_STREAM, "no memory for a call");
    if (list->too_long) {
        call->http_status = 431;
        call_finish(call, RPC_UNKNOWN, NULL);
        return fault_none();
    }
    stream->content_length = request.content_length;
    read_call(call, list, &request);
    call->input_ended = ends;
    if (!call->finished && call->handler->begin)
        call->handler->begin(call, list);
    if (ends)
        after_messages(call);
    return fault_none();
}

// Keeps the status that the trailers of an answer say. It counts when all messages are taken.
static void read_status(struct call *call, const struct hpack_list *list)
{
    const struct hpack_field *status = call_field(list, "grpc-status");
    const struct hpack_field *text = call_field(list, "grpc-message");
    uint64_t number;
    *call->text = '\0';
    if (text)
        rpc_percent_decode(call->text, sizeof call->text, text->value, text->value_length);
    if (!status) {
        call->status = rpc_status_of_http(call->http_status);
        snprintf(call->text, sizeof call->text, "an answer without grpc-status, HTTP status %d",
                 call->http_status);
    } else if (http_number(field_value(status), 1000, &number)) {
        call->status = (int)number;
    } else {
        call->status = RPC_UNKNOWN;
    }
}

// The head of an answer, or its trailers, or both at once (Trailers-Only).
static struct fault take_answer(struct call *call, const struct hpack_list *list, bool ends)
{
    struct stream *stream = call->stream;
    struct response_head head;
    const char *wrong;
    bool first = stream->answer.status == 0;
    if (first)
        wrong = transport_read_answer(list, ends, &head);
    else
        wrong = transport_read_trailers(list, ends);
    if (wrong)
        return stream_fault(PROTOCOL_ERROR, wrong);
    if (first && head.status < 200)
        return fault_none(); // the final one is to come
    if (first) {
        const struct hpack_field *type = call_field(list, "content-type");
        stream->answer.status = call->http_status = head.status;
        stream->content_length = head.content_length;
        if (head.status != 200 || !type ||
            !rpc_is_content_type(type->value, type->value_length)) {
            read_status(call, list);
            call_finish(call, call->status, call->text);
            return fault_none();
        }
        if (call->handler->begin)
            call->handler->begin(call, list);
    }
    call->input_ended = ends;
    if (!ends || call->finished)
        return fault_none();
    read_status(call, list);
    if (call->handler->trailers)
        call->handler->trailers(call, list);
    call_take_kept(call);
    return fault_none();
}

struct fault call_take_fields(struct transport *t, struct stream *stream,
                              const struct hpack_list *list, bool ends)
{
    struct call *call = call_of(stream);
    if (!call)
        return begin_call(t, stream, list, ends);
    if (t->is_client)
        return take_answer(call, list, ends);
    const char *wrong = transport_read_trailers(list, ends);
    if (wrong)
        return stream_fault(PROTOCOL_ERROR, wrong);
    call->input_ended = true;
    if (!call->finished)
        call_take_kept(call);
    else if (stream->answered)
        call_close(call, NO_ERROR);
    return fault_none();
}
