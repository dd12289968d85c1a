// request.c: see request.h. Read request_headers() first, then take_request() and
// end_of_request(): that is all for a GET. The part about windows is for requests with a body
// (/echo). A struct request is what request_read() in parts/message.c makes of the fields.
#include "request.h"

#include <stdio.h>

#include "message.h"
#include "response.h"

#define DISCARD_MAX  (2 * ECHO_MAX) // a body that is not used may be so long: then RST_STREAM
#define SLOW_BODY_MS 5000           // a body that others wait for: see request_too_slow()

// ---- windows for bodies --------------------------------------------------------------------

// The request that began first of those that are neither complete nor answered.
static struct stream *oldest_unfinished(const struct connection *c)
{
    struct stream *oldest = NULL;
    for (struct stream *stream = c->streams.first; stream; stream = stream->next)
        if (!stream->remote_ended && !stream->answering)
            oldest = stream; // the list begins with the newest
    return oldest;
}

// The server has used `length` bytes of DATA: opens the window of the stream (NULL: of the
// connection) again by so many bytes.
//
// The larger the window of a stream, the more memory its body may take. When the bodies of a
// connection take SHARE_BYTES, only the oldest unfinished request gets window, so that it can
// end; then the next one.
static void return_window(struct connection *c, struct stream *stream, uint32_t length)
{
    if (stream && !stream->answering && c->body_bytes > SHARE_BYTES &&
        stream != oldest_unfinished(c)) {
        stream->unreturned += length;
        c->withheld = true;
        return;
    }
    uint32_t increment = streams_return(&c->streams, stream, length);
    uint32_t id = 0; // the connection
    if (stream)
        id = stream->id;
    if (increment)
        connection_wrote(c, frame_put_window_update(connection_space(c), id, increment));
}

// Opens the windows of the streams that wait for it, as far as they may now.
void request_share_windows(struct connection *c)
{
    if (!c->withheld)
        return;
    struct stream *oldest = oldest_unfinished(c);
    if (oldest && oldest->id != c->favoured) {
        c->favoured = oldest->id;
        pace_begin(&c->favoured_pace, conn_now(&c->conn));
    }
    if (oldest && c->body_bytes > SHARE_BYTES) {
        return_window(c, oldest, 0);
        return;
    }
    c->withheld = false;
    c->favoured = 0;
    for (struct stream *stream = c->streams.first; stream; stream = stream->next)
        if (!stream->remote_ended && conn_room(&c->conn) >= RESPONSE_ROOM)
            return_window(c, stream, 0);
}

int64_t request_due_ns(const struct connection *c)
{
    if (!c->withheld)
        return NEVER;
    return c->favoured_pace.paid_ns + SLOW_BODY_MS * NS_PER_MS;
}

uint32_t request_too_slow(const struct connection *c)
{
    if (conn_now(&c->conn) < request_due_ns(c))
        return 0;
    return c->favoured;
}

// ---- the request ---------------------------------------------------------------------------

static struct fault end_of_request(struct connection *c, struct stream *stream)
{
    if (stream->content_length >= 0 && stream->received != stream->content_length)
        return stream_fault(PROTOCOL_ERROR, "a body that is not what content-length says");
    stream->remote_ended = true;
    if (stream->answered)
        response_close(c, stream, STREAM_ENDED);
    else if (!stream->answering && !stream->timed)
        response_begin(c, stream);
    return fault_none();
}

// What a HEADERS frame means on a stream that is not open (§5.1).
static struct fault on_closed_stream(const struct connection *c, uint32_t id)
{
    switch (stream_end_of(&c->streams, id)) {
    case STREAM_RESET: // the client has sent it before it saw the server's RST_STREAM
        return fault_none();
    case STREAM_SKIPPED:
        return connection_fault(PROTOCOL_ERROR, "a stream number lower than the last one");
    default:
        return connection_fault(STREAM_CLOSED, "HEADERS on a stream that is closed");
    }
}

static struct fault take_trailers(struct connection *c, struct stream *stream,
                                  const struct frame *frame, const struct hpack_list *list)
{
    const char *wrong = message_check_trailers(list);
    if (stream->remote_ended)
        return stream_fault(STREAM_CLOSED, "HEADERS after the end of the request");
    if (!(frame->flags & FLAG_END_STREAM))
        return stream_fault(PROTOCOL_ERROR, "trailers that do not end the request");
    if (wrong)
        return stream_fault(PROTOCOL_ERROR, wrong);
    if (list->too_long && !stream->answering) {
        stream->remote_ended = true;
        response_error(c, stream, 431);
        return fault_none();
    }
    return end_of_request(c, stream);
}

static struct fault take_request(struct connection *c, const struct frame *frame,
                                 const struct hpack_list *list)
{
    struct stream *stream = stream_open(&c->streams, frame->stream);
    struct request request;
    if (!stream)
        return connection_fault(INTERNAL_ERROR, "no memory for a stream");
    c->last_taken = frame->stream;
    bool ended = frame->flags & FLAG_END_STREAM;
    stream->remote_ended = ended;
    if (list->too_long) { // no content in the answer: the method may have been HEAD
        stream->answer = (struct answer){.status = 431};
        response_begin(c, stream);
        return fault_none();
    }
    const char *wrong = request_read(list, &request);
    if (wrong)
        return stream_fault(PROTOCOL_ERROR, wrong);
    snprintf(stream->request, sizeof stream->request, "%.*s %.*s", (int)request.method.length,
             request.method.at, (int)request.path.length, request.path.at);
    stream->head = request.head;
    stream->content_length = request.content_length;
    if (request.connect)
        page_error(501, &stream->answer);
    else
        page(request.method, request.path, conn_now(&c->conn), &stream->answer);
    if (ended)
        return end_of_request(c, stream);
    if (request.content_length > ECHO_MAX)
        response_error(c, stream, 413);
    else if (request.connect || (request.expects_continue && stream->answer.status >= 400))
        // CONNECT has no end to wait for (§8.5), and the body of a refused request is not
        // wanted.
        response_begin(c, stream);
    else if (request.expects_continue)
        response_head(c, stream->id, &(struct answer){.status = 100}, 0);
    return fault_none();
}

struct fault request_headers(struct connection *c, const struct frame *frame,
                             const struct hpack_list *list)
{
    struct streams *streams = &c->streams;
    uint32_t id = frame->stream;
    struct fault fault = frame_check_priority(frame);
    if (id % 2 == 0)
        return connection_fault(PROTOCOL_ERROR, "an even stream number from a client");
    if (id <= streams->last_id) {
        struct stream *stream = stream_find(streams, id);
        if (stream)
            return take_trailers(c, stream, frame, list);
        return on_closed_stream(c, id);
    }
    if (c->state == CONNECTION_LEAVING) { // §6.8: the client may safely ask again elsewhere
        stream_refuse(streams, id);
        return fault_none();
    }
    if (streams->count >= (uint32_t)c->service->streams_max) {
        stream_refuse(streams, id);
        return stream_fault(REFUSED_STREAM, "more streams than MAX_CONCURRENT_STREAMS");
    }
    if (fault.scope) {
        stream_refuse(streams, id);
        return fault;
    }
    return take_request(c, frame, list);
}

static struct fault take_body(struct connection *c, struct stream *stream,
                              const struct frame *frame)
{
    struct answer *answer = &stream->answer;
    uint32_t length = frame->content_length;
    bool keeps = answer->kind == ANSWER_ECHO && !stream->answering;
    pace_move(&c->pace, conn_now(&c->conn), length);
    if (stream->id == c->favoured)
        pace_move(&c->favoured_pace, conn_now(&c->conn), length);
    stream->received += length;
    if (stream->content_length >= 0 && stream->received > stream->content_length)
        return stream_fault(PROTOCOL_ERROR, "a body longer than content-length says");
    if (!stream->answering && !stream->timed && stream->received > ECHO_MAX) {
        response_error(c, stream, 413);
        return fault_none();
    }
    if (keeps && length &&
        !body_append(&answer->body, (size_t)answer->length, frame->content, length, &c->conn,
                     &c->body_bytes)) {
        response_error(c, stream, 503);
        return fault_none();
    }
    if (keeps)
        answer->length += length;
    if (frame->flags & FLAG_END_STREAM)
        return end_of_request(c, stream);
    if (stream->received > DISCARD_MAX && stream->answered)
        return stream_fault(NO_ERROR, "a body that is not read");
    if (stream->received > DISCARD_MAX)
        return stream_fault(CANCEL, "a body that is not read");
    return_window(c, stream, frame->length);
    return fault_none();
}

struct fault request_data(struct connection *c, struct stream *stream,
                          const struct frame *frame)
{
    if (stream_is_idle(&c->streams, frame->stream))
        return connection_fault(PROTOCOL_ERROR, "DATA on an idle stream");
    struct fault fault = streams_receive(&c->streams, stream, frame->length);
    if (fault.scope == FAULT_CONNECTION)
        return fault;
    return_window(c, NULL, frame->length); // the server uses it at once, or throws it away
    if (fault.scope)
        return fault;
    if (stream && !stream->remote_ended)
        return take_body(c, stream, frame);
    if (!stream && stream_end_of(&c->streams, frame->stream) == STREAM_RESET)
        return fault_none(); // the client has sent it before it saw the server's RST_STREAM
    return stream_fault(STREAM_CLOSED, "DATA after the end of the request");
}

struct fault request_cancel(struct connection *c, struct stream *stream)
{
    if (!stream)
        return fault_none(); // the client has sent it before it saw the end of the answer
    response_close(c, stream, STREAM_ENDED);
    if (!budget_spend(&c->budget, conn_now(&c->conn), COST_OF_RESET))
        return connection_fault(ENHANCE_YOUR_CALM, "too many requests that are cancelled");
    return fault_none();
}
