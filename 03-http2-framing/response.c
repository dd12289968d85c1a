// response.c: see response.h. Read response_begin() first, then response_send().
#include "response.h"

#include <string.h>
#include <time.h>

#include "frame_names.h"
#include "http.h"
#include "request.h"
#include "log.h"

#define PIECE_BYTES  4096 // of DATA in one frame, while other streams wait for their turn
#define NUMBER_BYTES 24   // a number as text is not longer

static void set_timed(struct connection *c, struct stream *stream, bool timed)
{
    c->timed += timed - stream->timed;
    stream->timed = timed;
}

void response_close(struct connection *c, struct stream *stream, enum stream_end end)
{
    set_timed(c, stream, false);
    stream_close(&c->streams, stream, end);
    c->idle_ns = conn_now(&c->conn);
}

void response_reset(struct connection *c, uint32_t id, struct fault fault)
{
    struct stream *stream = stream_find(&c->streams, id);
    log_line("RST_STREAM stream %u %s: %s", id, error_code_name(fault.code), fault.why);
    connection_wrote(c, frame_put_rst_stream(connection_space(c), id, fault.code));
    if (stream)
        response_close(c, stream, STREAM_RESET);
    else
        stream_refuse(&c->streams, id);
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
static uint8_t *put_fields(struct connection *c, const struct answer *answer, uint8_t *out)
{
    struct hpack_field fields[6];
    size_t count = 0;
    char status[NUMBER_BYTES], length[NUMBER_BYTES];
    put_number(status, (uint64_t)answer->status);
    fields[count++] = field(HPACK_STATUS, ":status", status);
    if (answer->status >= 200)
        fields[count++] = field(HPACK_DATE, "date", http_date(time(NULL)));
    if (answer->allow)
        fields[count++] = field(HPACK_ALLOW, "allow", answer->allow);
    if (answer->link)
        fields[count++] = field(HPACK_LINK, "link", answer->link);
    if (answer->type)
        fields[count++] = field(HPACK_CONTENT_TYPE, "content-type", answer->type);
    if (answer->type && answer->kind != ANSWER_PIECES) { // END_STREAM says where the pieces end
        put_number(length, (uint64_t)answer->length);
        fields[count] = field(HPACK_CONTENT_LENGTH, "content-length", length);
        fields[count++].indexing = HPACK_NOT_INDEXED;
    }
    return hpack_encode(&c->encoder, out, fields, count);
}

void response_head(struct connection *c, uint32_t id, const struct answer *answer,
                   uint8_t flags)
{
    uint8_t *start = connection_space(c), *block = start + FRAME_HEADER_BYTES;
    uint8_t *end = put_fields(c, answer, block);
    frame_put_header(start, (uint32_t)(end - block), FRAME_HEADERS, FLAG_END_HEADERS | flags,
                     id);
    connection_wrote(c, end);
}

// The answer is sent. If the client is still sending its request, the server throws the rest
// away. (It could stop the request with RST_STREAM, but then some clients lose the answer:
// §8.1.)
static void finish(struct connection *c, struct stream *stream)
{
    const struct answer *answer = &stream->answer;
    log_line("stream %u, %s: %d, %lld bytes", stream->id, stream->request, answer->status,
             (long long)answer->done);
    c->service->requests++;
    budget_earn(&c->budget, BUDGET_FOR_ANSWER);
    stream->answered = true;
    ring_leave(&c->streams, stream);
    if (stream->remote_ended)
        response_close(c, stream, STREAM_ENDED);
}

// Sends the answer's HEADERS, if it is time for them. If there is content, the stream joins the
// ring: response_send() sends it.
void response_begin(struct connection *c, struct stream *stream)
{
    const struct answer *answer = &stream->answer;
    if (answer->due_ns > conn_now(&c->conn)) {
        set_timed(c, stream, true);
        if (answer->link) // the client fetches meanwhile what the page will need
            response_head(c, stream->id, &(struct answer){.status = 103, .link = answer->link},
                          0);
        return;
    }
    bool empty = stream->head || answer->length == 0;
    stream->answering = true;
    if (empty) {
        response_head(c, stream->id, answer, FLAG_END_STREAM);
        finish(c, stream);
    } else {
        response_head(c, stream->id, answer, 0);
        ring_join(&c->streams, stream);
    }
}

void response_error(struct connection *c, struct stream *stream, int status)
{
    answer_free(&stream->answer);
    page_error(status, &stream->answer);
    response_begin(c, stream);
}

// How many bytes of DATA this stream may send in its next frame.
static uint32_t next_piece(const struct connection *c, const struct stream *stream)
{
    bool shared = stream->ring_next != stream; // it is not alone in the ring
    uint32_t may = stream_may_send(&c->streams, stream);
    uint32_t piece = FRAME_SIZE_DEFAULT;
    int64_t ready = answer_ready(&stream->answer, conn_now(&c->conn));
    if (shared)
        piece = PIECE_BYTES;
    if (may < piece)
        piece = may;
    if (ready < piece)
        piece = (uint32_t)ready;
    return piece;
}

static void send_data(struct connection *c, struct stream *stream, uint32_t length)
{
    uint8_t *start = connection_space(c), *content = start + FRAME_HEADER_BYTES;
    answer_read(&stream->answer, content, length, conn_now(&c->conn));
    bool last = stream->answer.done == stream->answer.length;
    uint8_t flags = 0;
    if (last)
        flags = FLAG_END_STREAM;
    frame_put_header(start, length, FRAME_DATA, flags, stream->id);
    connection_wrote(c, content + length);
    stream_sent(&c->streams, stream, length);
    if (last)
        finish(c, stream);
    else
        ring_turn(&c->streams);
}

bool response_send(struct connection *c)
{
    struct streams *streams = &c->streams;
    bool sent = false;
    request_share_windows(c);
    while (streams->ring && streams->send_window > 0) {
        struct stream *stream = streams->ring;
        uint32_t length = next_piece(c, stream);
        if (length == 0) { // the stream joins again when its window opens, or its time comes
            ring_leave(streams, stream);
            if (answer_ready(&stream->answer, conn_now(&c->conn)) == 0)
                set_timed(c, stream, true);
            continue;
        }
        if (conn_room(&c->conn) < FRAME_HEADER_BYTES + length + RESPONSE_ROOM)
            break;
        budget_earn_data(&c->budget, length, stream_may_send(streams, stream));
        pace_move(&c->pace, conn_now(&c->conn), length);
        send_data(c, stream, length);
        sent = true;
    }
    return sent;
}

static int64_t due_ns(const struct stream *stream)
{
    if (stream->answering)
        return answer_due_ns(&stream->answer);
    return stream->answer.due_ns;
}

int64_t response_due_ns(const struct connection *c)
{
    int64_t first_ns = NEVER;
    if (c->timed == 0)
        return NEVER;
    for (const struct stream *stream = c->streams.first; stream; stream = stream->next)
        if (stream->timed && due_ns(stream) < first_ns)
            first_ns = due_ns(stream);
    return first_ns;
}

void response_resume(struct connection *c, struct stream *stream)
{
    if (stream->answering && !stream->answered && !stream->timed)
        ring_join(&c->streams, stream);
}

// The body that this stream should echo was thrown away, for another one: see body_budget.h.
static void end_evicted(struct connection *c, struct stream *stream)
{
    if (stream->answering)
        response_reset(c, stream->id, stream_fault(ENHANCE_YOUR_CALM, "an echo that waits"));
    else
        response_error(c, stream, 503);
}

void response_due(struct connection *c)
{
    struct stream *next = c->streams.first;
    for (struct stream *stream; (stream = next);) {
        next = stream->next;
        if (conn_room(&c->conn) < RESPONSE_ROOM)
            return; // the deadline comes again
        if (stream->answer.body.evicted) {
            end_evicted(c, stream);
        } else if (stream->timed && due_ns(stream) <= conn_now(&c->conn)) {
            set_timed(c, stream, false);
            if (stream->answering)
                ring_join(&c->streams, stream);
            else
                response_begin(c, stream);
        }
    }
}
