// exchange.c: see exchange.h. A request comes in by exchange_headers() and exchange_data(), is
// complete in end_of_request(), and its answer goes out by begin_answer() and exchange_send().
#include "exchange.h"

#include <string.h>
#include <time.h>

#include "http.h"
#include "request.h"

#define PIECE_BYTES  4096 // of DATA, while other streams wait for their turn
#define CREDIT_BYTES 128  // of DATA in a frame earn the client some patience: see session.c
#define CREDIT       2
#define DISCARD_MAX  (2 * ECHO_MAX) // bytes of a body that is too long, before RST_STREAM
#define HELD_MAX     (64 << 20) // bytes of bodies that are kept for an echo, of all connections
#define NUMBER_BYTES 24         // of a number in text

static uint8_t *space(const struct session *session)
{
    return (uint8_t *)conn_space(session->conn);
}

// What was written from space() to `end` is output.
static void wrote(const struct session *session, const uint8_t *end)
{
    conn_wrote(session->conn, (size_t)(end - space(session)));
}

static void set_timed(struct session *session, struct stream *stream, bool timed)
{
    session->timed += timed - stream->timed;
    stream->timed = timed;
}

// Bytes of a body are kept for its echo, or, below zero, not any more.
static void hold(struct session *session, int64_t bytes)
{
    session->held = (uint32_t)(session->held + bytes);
    session->service->held += bytes;
}

void exchange_close(struct session *session, struct stream *stream, enum stream_end end)
{
    if (stream->answer.kind == ANSWER_ECHO)
        hold(session, -stream->answer.length);
    set_timed(session, stream, false);
    stream_close(&session->streams, stream, end);
}

// ---- the answer ----------------------------------------------------------------------------

static struct hpack_field field(enum hpack_name name, const char *name_text, const char *value)
{
    return (struct hpack_field){.name = name_text,
                                .value = value,
                                .name_length = (uint32_t)strlen(name_text),
                                .value_length = (uint32_t)strlen(value),
                                .static_name = (uint8_t)name};
}

// Writes a number as text that ends in a zero; `text` has NUMBER_BYTES.
static void put_number(char *text, uint64_t number)
{
    char digits[NUMBER_BYTES], *first = digits + sizeof digits - 1;
    *first = '\0';
    do
        *--first = (char)('0' + number % 10);
    while (number /= 10);
    memcpy(text, first, (size_t)(digits + sizeof digits - first));
}

// Writes a header block; returns its end.
static uint8_t *put_fields(struct session *session, const struct answer *answer, uint8_t *out)
{
    struct hpack_field fields[5];
    size_t count = 0;
    char status[NUMBER_BYTES], length[NUMBER_BYTES];
    put_number(status, (uint64_t)answer->status);
    fields[count++] = field(HPACK_STATUS, ":status", status);
    if (answer->status >= 200)
        fields[count++] = field(HPACK_DATE, "date", http_date(time(NULL)));
    if (answer->allow)
        fields[count++] = field(HPACK_ALLOW, "allow", answer->allow);
    if (answer->type)
        fields[count++] = field(HPACK_CONTENT_TYPE, "content-type", answer->type);
    if (answer->type && answer->kind != ANSWER_PIECES) { // those end when they end
        put_number(length, (uint64_t)answer->length);
        fields[count] = field(HPACK_CONTENT_LENGTH, "content-length", length);
        fields[count++].indexing = HPACK_NOT_INDEXED;
    }
    return hpack_encode(&session->encoder, out, fields, count);
}

static void put_headers(struct session *session, uint32_t id, const struct answer *answer,
                        uint8_t flags)
{
    uint8_t *start = space(session), *block = start + FRAME_HEADER_BYTES;
    uint8_t *end = put_fields(session, answer, block);
    frame_put_header(start, (uint32_t)(end - block), FRAME_HEADERS, FLAG_END_HEADERS | flags,
                     id);
    wrote(session, end);
}

// The answer is sent. If the client is still sending its request, what comes is thrown away for
// a while: asking it to stop at once by RST_STREAM (§8.1) costs some clients the answer.
static void finish(struct session *session, struct stream *stream)
{
    session->service->requests++;
    stream->answered = true;
    ring_leave(&session->streams, stream);
    if (stream->remote_ended)
        exchange_close(session, stream, STREAM_ENDED);
}

// Sends the answer's HEADERS if it is time for them; its content joins the ring.
static void begin_answer(struct session *session, struct stream *stream)
{
    const struct answer *answer = &stream->answer;
    if (answer->due_ns > conn_now(session->conn)) {
        set_timed(session, stream, true);
        return;
    }
    bool empty = stream->head || answer->length == 0;
    stream->answering = true;
    put_headers(session, stream->id, answer, empty ? FLAG_END_STREAM : 0);
    if (empty)
        finish(session, stream);
    else
        ring_join(&session->streams, stream);
}

static void answer_error(struct session *session, struct stream *stream, int status)
{
    if (stream->answer.kind == ANSWER_ECHO)
        hold(session, -stream->answer.length);
    answer_free(&stream->answer);
    route_error(status, &stream->answer);
    begin_answer(session, stream);
}

// How many bytes of DATA the stream whose turn it is may send in one frame.
static uint32_t next_piece(const struct session *session, const struct stream *stream)
{
    bool shared = stream->ring_next != stream;
    uint32_t may = stream_may_send(&session->streams, stream);
    uint32_t piece = shared ? PIECE_BYTES : FRAME_SIZE_DEFAULT;
    int64_t ready = answer_ready(&stream->answer, conn_now(session->conn));
    piece = may < piece ? may : piece;
    return ready < piece ? (uint32_t)ready : piece;
}

static void send_data(struct session *session, struct stream *stream, uint32_t length)
{
    uint8_t *start = space(session), *content = start + FRAME_HEADER_BYTES;
    answer_read(&stream->answer, content, length, conn_now(session->conn));
    bool last = stream->answer.done == stream->answer.length;
    frame_put_header(start, length, FRAME_DATA, last ? FLAG_END_STREAM : 0, stream->id);
    wrote(session, content + length);
    stream_sent(&session->streams, stream, length);
    session->patience += length >= CREDIT_BYTES ? CREDIT : 0;
    if (last)
        finish(session, stream);
    else
        ring_turn(&session->streams);
}

bool exchange_send(struct session *session)
{
    struct streams *streams = &session->streams;
    bool sent = false;
    while (streams->ring && streams->send_window > 0) {
        struct stream *stream = streams->ring;
        uint32_t length = next_piece(session, stream);
        if (length == 0) { // until its window or its time comes
            ring_leave(streams, stream);
            if (answer_ready(&stream->answer, conn_now(session->conn)) == 0)
                set_timed(session, stream, true);
            continue;
        }
        if (conn_room(session->conn) < FRAME_HEADER_BYTES + length + EXCHANGE_ROOM)
            break;
        send_data(session, stream, length);
        sent = true;
    }
    if (sent)
        session->progress_ns = conn_now(session->conn);
    return sent;
}

static int64_t due_ns(const struct stream *stream)
{
    return stream->answering ? answer_due_ns(&stream->answer) : stream->answer.due_ns;
}

int64_t exchange_due_ns(const struct session *session)
{
    int64_t first_ns = NEVER;
    const struct stream *stream = session->timed ? session->streams.first : NULL;
    for (; stream; stream = stream->next)
        if (stream->timed && due_ns(stream) < first_ns)
            first_ns = due_ns(stream);
    return first_ns;
}

void exchange_resume(struct session *session, struct stream *stream)
{
    if (stream->answering && !stream->answered && !stream->timed)
        ring_join(&session->streams, stream);
}

void exchange_due(struct session *session)
{
    struct stream *next = session->timed ? session->streams.first : NULL;
    for (struct stream *stream; (stream = next);) {
        next = stream->next;
        if (!stream->timed || due_ns(stream) > conn_now(session->conn) ||
            conn_room(session->conn) < EXCHANGE_ROOM)
            continue;
        set_timed(session, stream, false);
        session->progress_ns = conn_now(session->conn);
        if (stream->answering)
            ring_join(&session->streams, stream);
        else
            begin_answer(session, stream);
    }
}

// ---- the request ---------------------------------------------------------------------------

static struct fault end_of_request(struct session *session, struct stream *stream)
{
    if (stream->content_length >= 0 && stream->received != stream->content_length)
        return stream_fault(PROTOCOL_ERROR, "a body that is not what content-length says");
    stream->remote_ended = true;
    if (stream->answered)
        exchange_close(session, stream, STREAM_ENDED);
    else if (!stream->answering && !stream->timed)
        begin_answer(session, stream);
    return fault_none();
}

// What a HEADERS frame means on a stream that is not open (§5.1).
static struct fault on_closed_stream(const struct session *session, uint32_t id)
{
    switch (stream_end_of(&session->streams, id)) {
    case STREAM_RESET: // on its way when our RST_STREAM was: means nothing
        return fault_none();
    case STREAM_SKIPPED:
        return connection_fault(PROTOCOL_ERROR, "a stream number lower than the last one");
    default:
        return connection_fault(STREAM_CLOSED, "HEADERS on a stream that is closed");
    }
}

static struct fault take_trailers(struct session *session, struct stream *stream,
                                  const struct frame *frame, const struct hpack_list *list)
{
    const char *wrong = request_check_trailers(list);
    if (stream->remote_ended)
        return stream_fault(STREAM_CLOSED, "HEADERS after the end of the request");
    if (!(frame->flags & FLAG_END_STREAM))
        return stream_fault(PROTOCOL_ERROR, "trailers that do not end the request");
    return wrong ? stream_fault(PROTOCOL_ERROR, wrong) : end_of_request(session, stream);
}

static struct fault take_request(struct session *session, const struct frame *frame,
                                 const struct hpack_list *list)
{
    struct stream *stream = stream_open(&session->streams, frame->stream);
    struct request request;
    if (!stream)
        return connection_fault(INTERNAL_ERROR, "no memory for a stream");
    session->last_taken = frame->stream;
    session->progress_ns = conn_now(session->conn);
    bool ended = frame->flags & FLAG_END_STREAM;
    stream->remote_ended = ended;
    if (list->too_long) { // without content: nobody knows whether the method was HEAD
        stream->answer = (struct answer){.status = 431};
        begin_answer(session, stream);
        return fault_none();
    }
    const char *wrong = request_read(list, &request);
    if (wrong)
        return stream_fault(PROTOCOL_ERROR, wrong);
    stream->head = request.head;
    stream->content_length = request.content_length;
    route(request.method, request.connect ? (struct http_text){"*", 1} : request.path,
          conn_now(session->conn), &stream->answer);
    if (ended)
        return end_of_request(session, stream);
    if (request.content_length > ECHO_MAX)
        answer_error(session, stream, 413);
    else if (request.connect || (request.expects_continue && stream->answer.status >= 400))
        // CONNECT has no end to wait for (§8.5), and of what is refused nobody wants the body.
        begin_answer(session, stream);
    else if (request.expects_continue)
        put_headers(session, stream->id, &(struct answer){.status = 100}, 0);
    return fault_none();
}

struct fault exchange_headers(struct session *session, const struct frame *frame,
                              const struct hpack_list *list)
{
    struct streams *streams = &session->streams;
    uint32_t id = frame->stream;
    if (id % 2 == 0)
        return connection_fault(PROTOCOL_ERROR, "an even stream number from a client");
    if (id <= streams->last_id) {
        struct stream *stream = stream_find(streams, id);
        return stream ? take_trailers(session, stream, frame, list)
                      : on_closed_stream(session, id);
    }
    if (session->state == SESSION_LEAVING) { // §6.8: ignored, and safe to ask again elsewhere
        stream_refuse(streams, id);
        return fault_none();
    }
    if (streams->count >= (uint32_t)session->service->streams_max) {
        stream_refuse(streams, id);
        return stream_fault(REFUSED_STREAM, "more streams than MAX_CONCURRENT_STREAMS");
    }
    return take_request(session, frame, list);
}

void exchange_return(struct session *session, struct stream *stream, uint32_t length)
{
    uint32_t increment = streams_return(&session->streams, stream, length);
    if (increment)
        wrote(session,
              frame_put_window_update(space(session), stream ? stream->id : 0, increment));
}

static struct fault take_body(struct session *session, struct stream *stream,
                              const struct frame *frame)
{
    bool echo = stream->answer.kind == ANSWER_ECHO;
    uint32_t length = frame->content_length;
    stream->received += length;
    if (length)
        session->progress_ns = conn_now(session->conn);
    if (stream->content_length >= 0 && stream->received > stream->content_length)
        return stream_fault(PROTOCOL_ERROR, "a body longer than content-length says");
    if (!stream->answering && !stream->timed) {
        if (stream->received > ECHO_MAX || (echo && session->held + length > ECHO_MAX)) {
            answer_error(session, stream, 413);
            return fault_none();
        }
        if ((echo && session->service->held + length > HELD_MAX) ||
            !answer_take(&stream->answer, frame->content, length)) {
            answer_error(session, stream, 503);
            return fault_none();
        }
        hold(session, echo ? length : 0);
    }
    if (frame->flags & FLAG_END_STREAM)
        return end_of_request(session, stream);
    if (stream->received > DISCARD_MAX)
        return stream_fault(stream->answered ? NO_ERROR : CANCEL, "a body that nobody reads");
    exchange_return(session, stream, frame->length);
    return fault_none();
}

struct fault exchange_data(struct session *session, const struct frame *frame)
{
    struct stream *stream = stream_find(&session->streams, frame->stream);
    if (frame->stream > session->streams.last_id || frame->stream % 2 == 0)
        return connection_fault(PROTOCOL_ERROR, "DATA on an idle stream");
    struct fault fault = streams_receive(&session->streams, stream, frame->length);
    if (fault.scope == FAULT_CONNECTION)
        return fault;
    exchange_return(session, NULL, frame->length); // we use it at once, or throw it away
    if (fault.scope)
        return fault;
    if (stream && !stream->remote_ended)
        return take_body(session, stream, frame);
    if (!stream && stream_end_of(&session->streams, frame->stream) == STREAM_RESET)
        return fault_none(); // on its way when our RST_STREAM was
    return stream_fault(STREAM_CLOSED, "DATA after the end of the request");
}
