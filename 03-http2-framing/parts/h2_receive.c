// h2_receive.c: see h2_receive.h. Read h2_receive() first, at the end, then take_frame().
#include "h2_receive.h"

#include <string.h>

#include "frame_names.h"
#include "message.h"

void h2_receiver_begin(struct h2_receiver *receiver, struct response *responses,
                       uint32_t places)
{
    *receiver = (struct h2_receiver){.responses = responses,
                                     .places = places,
                                     .streams_max = STREAMS_MAX_DEFAULT,
                                     .header_table = TABLE_SIZE_DEFAULT,
                                     .window = WINDOW_DEFAULT,
                                     .initial = WINDOW_DEFAULT,
                                     .send_window = WINDOW_DEFAULT,
                                     .send_initial = WINDOW_DEFAULT};
    hpack_decoder_begin(&receiver->decoder);
}

void h2_receiver_end(struct h2_receiver *receiver)
{
    hpack_table_free(&receiver->decoder.table);
}

// ---- what the client has sent ---------------------------------------------------------------

struct response *h2_asked(struct h2_receiver *receiver, uint32_t stream)
{
    struct response *response = &receiver->responses[stream / 2 % receiver->places];
    *response = (struct response){.stream = stream,
                                  .content_length = -1,
                                  .window = receiver->initial,
                                  .send_window = receiver->send_initial};
    if (stream > receiver->last_stream)
        receiver->last_stream = stream;
    receiver->open++;
    return response;
}

void h2_settings_sent(struct h2_receiver *receiver, int64_t initial_window)
{
    receiver->pending[receiver->settings_sent++ % SETTINGS_PENDING] = initial_window;
}

void h2_window_opened(struct h2_receiver *receiver, uint32_t stream, uint32_t increment)
{
    struct response *response = h2_response(receiver, stream);
    if (!stream)
        receiver->window += increment;
    else if (response)
        response->window += increment;
}

struct response *h2_response(struct h2_receiver *receiver, uint32_t stream)
{
    struct response *response = &receiver->responses[stream / 2 % receiver->places];
    if (stream == 0 || response->stream != stream)
        return NULL;
    return response;
}

// ---- the end of a stream -------------------------------------------------------------------

static void end_stream(struct h2_receiver *receiver, struct response *response)
{
    if (!response->ended)
        receiver->open--;
    response->ended = true;
}

void h2_give_up(struct h2_receiver *receiver, struct response *response, uint32_t error,
                const char *why)
{
    if (response->ended)
        return;
    end_stream(receiver, response);
    response->reset = true;
    response->error = error;
    response->why = why;
}

const char *h2_why(const struct h2_receiver *receiver, const struct response *response)
{
    if (!response->reset)
        return NULL;
    if (response->why)
        return response->why;
    if (receiver->went_away && response->stream > receiver->goaway_last)
        return "the server goes away, and has not looked at it";
    return error_code_name(response->error);
}

static struct fault end_of_answer(struct h2_receiver *receiver, struct response *response)
{
    if (response->status == 0)
        return stream_fault(PROTOCOL_ERROR, "an answer that ends without its final status");
    if (response->content_length >= 0 && response->status != 304 && // §8.1.1
        response->content_bytes != (uint64_t)response->content_length)
        return stream_fault(PROTOCOL_ERROR, "less content than content-length says");
    end_stream(receiver, response);
    return fault_none();
}

// ---- frames of the connection --------------------------------------------------------------

// Our SETTINGS count from now on: the server knows them (§6.9.2).
static void take_settings_ack(struct h2_receiver *receiver)
{
    if (receiver->settings_acked == receiver->settings_sent)
        return;
    int64_t initial = receiver->pending[receiver->settings_acked++ % SETTINGS_PENDING];
    if (initial < 0)
        return;
    for (uint32_t i = 0; i < receiver->places; i++)
        receiver->responses[i].window += initial - receiver->initial;
    receiver->initial = initial;
}

static struct fault resize_send_windows(struct h2_receiver *receiver, uint32_t initial)
{
    int64_t change = initial - receiver->send_initial;
    receiver->send_initial = initial;
    for (uint32_t i = 0; i < receiver->places; i++) {
        struct response *response = &receiver->responses[i];
        if (response->stream && !response->ended &&
            (response->send_window += change) > WINDOW_MAX)
            return connection_fault(FLOW_CONTROL_ERROR, "a stream's window above 2^31-1");
    }
    return fault_none();
}

static struct fault take_settings(struct h2_receiver *receiver, const struct frame *frame)
{
    if (frame->flags & FLAG_ACK) {
        take_settings_ack(receiver);
        return fault_none();
    }
    if (!receiver->settings_came)
        receiver->streams_max = STREAMS_MAX_DEFAULT;
    receiver->settings_came = true;
    for (uint32_t i = 0; i < frame->length / SETTING_BYTES; i++) {
        struct setting setting = frame_setting(frame, i);
        struct fault fault = fault_none();
        if (setting.id == SETTINGS_HEADER_TABLE_SIZE)
            receiver->header_table = setting.value;
        else if (setting.id == SETTINGS_MAX_CONCURRENT_STREAMS && !receiver->went_away)
            receiver->streams_max = setting.value;
        else if (setting.id == SETTINGS_ENABLE_PUSH && setting.value) // §6.5.2
            fault = connection_fault(PROTOCOL_ERROR, "ENABLE_PUSH=1 from a server");
        else if (setting.id == SETTINGS_INITIAL_WINDOW_SIZE)
            fault = resize_send_windows(receiver, setting.value);
        if (fault.scope)
            return fault;
    }
    return fault_none();
}

static struct fault take_window_update(struct h2_receiver *receiver, const struct frame *frame,
                                       struct response *response)
{
    uint32_t increment = frame_read_u32(frame->payload) & WINDOW_MAX;
    if (frame->stream == 0) {
        receiver->send_window += increment;
        if (receiver->send_window > WINDOW_MAX)
            return connection_fault(FLOW_CONTROL_ERROR, "the window above 2^31-1");
    } else if (response && !response->ended) {
        response->send_window += increment;
        if (response->send_window > WINDOW_MAX)
            return stream_fault(FLOW_CONTROL_ERROR, "a stream's window above 2^31-1");
    }
    return fault_none();
}

// What is above the last stream was not looked at, and will not be (§6.8). A later GOAWAY can
// only lower the last stream.
static struct fault take_goaway(struct h2_receiver *receiver, const struct frame *frame)
{
    uint32_t length = frame->length - 8, last = frame_read_u32(frame->payload) & STREAM_ID_MAX;
    if (receiver->went_away && last > receiver->goaway_last)
        return connection_fault(PROTOCOL_ERROR, "a GOAWAY that takes back an earlier one");
    if (length > GOAWAY_TEXT_BYTES - 1)
        length = GOAWAY_TEXT_BYTES - 1;
    receiver->went_away = true;
    receiver->streams_max = 0; // no new request may be made
    receiver->goaway_last = last;
    receiver->goaway_code = frame_read_u32(frame->payload + 4);
    for (uint32_t i = 0; i < length; i++) { // anything may be in it
        char c = (char)frame->payload[8 + i];
        receiver->goaway_text[i] = c >= ' ' && c < 127 ? c : '.';
    }
    receiver->goaway_text[length] = '\0';
    for (uint32_t i = 0; i < receiver->places; i++)
        if (receiver->responses[i].stream > last)
            h2_give_up(receiver, &receiver->responses[i], REFUSED_STREAM, NULL);
    return fault_none();
}

// ---- frames of a stream --------------------------------------------------------------------

static struct fault take_data(struct h2_receiver *receiver, const struct frame *frame,
                              struct response *response, struct h2_news *news)
{
    receiver->window -= frame->length; // padding counts as well (§6.9.1)
    receiver->used += frame->length;
    if (receiver->window < 0)
        return connection_fault(FLOW_CONTROL_ERROR, "more DATA than the connection's window");
    if (!response || (response->ended && response->reset))
        return fault_none(); // the stream was reset, or is long forgotten
    if (response->ended)
        return connection_fault(STREAM_CLOSED, "DATA behind the end of an answer");
    if (response->status == 0)
        return stream_fault(PROTOCOL_ERROR, "DATA before the final status");
    response->window -= frame->length;
    response->used += frame->length;
    if (response->window < 0 && frame->length)
        return connection_fault(FLOW_CONTROL_ERROR, "more DATA than the stream's window");
    response->content_bytes += frame->content_length;
    if (frame->content_length && (response->status == 204 || response->status == 304))
        return stream_fault(PROTOCOL_ERROR, "content in an answer that has none");
    if (response->content_length >= 0 &&
        response->content_bytes > (uint64_t)response->content_length)
        return stream_fault(PROTOCOL_ERROR, "more content than content-length says");
    news->content = frame->content;
    news->content_length = frame->content_length;
    if (frame->flags & FLAG_END_STREAM)
        return end_of_answer(receiver, response);
    return fault_none();
}

// A whole header block of a stream that is open: the head of an answer, or its trailers.
static struct fault take_list(struct h2_receiver *receiver, struct response *response,
                              const struct hpack_list *list, struct h2_news *news)
{
    bool ends = receiver->block_flags & FLAG_END_STREAM;
    struct response_head head;
    if (list->too_long)
        return stream_fault(CANCEL, "more than 16 KB of header fields");
    if (response->status) {
        const char *wrong = message_check_trailers(list);
        if (!ends)
            wrong = "trailers that do not end the answer";
        if (wrong)
            return stream_fault(PROTOCOL_ERROR, wrong);
        return end_of_answer(receiver, response);
    }
    const char *wrong = response_read(list, &head);
    if (!wrong && head.status < 200 && ends)
        wrong = "an answer that ends with a status of 1xx";
    if (wrong)
        return stream_fault(PROTOCOL_ERROR, wrong);
    news->informational = head.status < 200; // 100, 103: the final one is to come
    if (news->informational)
        return fault_none();
    receiver->empty_frames = 0;
    response->status = head.status;
    response->content_length = head.content_length;
    response->block_bytes = receiver->block_length;
    if (ends)
        return end_of_answer(receiver, response);
    return fault_none();
}

// HEADERS or CONTINUATION. A block is decoded whatever its stream is: the dynamic table depends
// on it.
static struct fault take_headers(struct h2_receiver *receiver, const struct frame *frame,
                                 struct response *response, struct h2_news *news)
{
    static struct hpack_list list;
    if (frame->type == FRAME_HEADERS) {
        receiver->block_stream = frame->stream;
        receiver->block_flags = frame->flags;
        receiver->block_length = 0;
        receiver->block_frames = 0;
    }
    if (frame->content_length > HEADER_BLOCK_MAX - receiver->block_length ||
        receiver->block_frames++ > CONTINUATIONS_MAX)
        return connection_fault(ENHANCE_YOUR_CALM, "a header block that is too long");
    memcpy(receiver->block + receiver->block_length, frame->content, frame->content_length);
    receiver->block_length += frame->content_length;
    if (!(frame->flags & FLAG_END_HEADERS))
        return fault_none();
    receiver->block_stream = 0;
    if (!hpack_decode(&receiver->decoder, receiver->block, receiver->block_length, &list))
        return connection_fault(COMPRESSION_ERROR, "a header block that is no HPACK");
    news->list = &list;
    if (!response || (response->ended && response->reset))
        return fault_none();
    if (response->ended)
        return connection_fault(STREAM_CLOSED, "HEADERS behind the end of an answer");
    return take_list(receiver, response, &list, news);
}

// ---- all frames ----------------------------------------------------------------------------

// What can be wrong with a frame because of where it stands (§3.4, §4.3, §5.1).
static struct fault check_place(const struct h2_receiver *receiver, const struct frame *frame)
{
    bool ours = frame->stream % 2 == 1 && frame->stream <= receiver->last_stream;
    bool settings = frame->type == FRAME_SETTINGS && !(frame->flags & FLAG_ACK);
    if (!receiver->settings_came && !settings)
        return connection_fault(PROTOCOL_ERROR, "the first frame is not SETTINGS");
    if (receiver->block_stream &&
        (frame->type != FRAME_CONTINUATION || frame->stream != receiver->block_stream))
        return connection_fault(PROTOCOL_ERROR, "a frame in the middle of a header block");
    if (!receiver->block_stream && frame->type == FRAME_CONTINUATION)
        return connection_fault(PROTOCOL_ERROR, "CONTINUATION without HEADERS");
    if (frame->stream == 0 || ours)
        return fault_none();
    if (frame->type == FRAME_DATA || frame->type == FRAME_HEADERS)
        return connection_fault(PROTOCOL_ERROR, "an answer to a request that was not made");
    if (frame->type == FRAME_RST_STREAM || frame->type == FRAME_WINDOW_UPDATE)
        return connection_fault(PROTOCOL_ERROR, "a frame on an idle stream");
    return fault_none();
}

static struct fault take_frame(struct h2_receiver *receiver, const struct frame *frame,
                               struct h2_news *news)
{
    struct response *response = h2_response(receiver, frame->stream);
    news->response = response;
    switch (frame->type) {
    case FRAME_DATA:
        return take_data(receiver, frame, response, news);
    case FRAME_HEADERS:
    case FRAME_CONTINUATION:
        return take_headers(receiver, frame, response, news);
    case FRAME_RST_STREAM:
        if (response)
            h2_give_up(receiver, response, frame_read_u32(frame->payload), NULL);
        return fault_none();
    case FRAME_SETTINGS:
        return take_settings(receiver, frame);
    case FRAME_PUSH_PROMISE: // §6.6: the client has sent ENABLE_PUSH=0
        return connection_fault(PROTOCOL_ERROR, "a push, though ENABLE_PUSH is 0");
    case FRAME_PING:
        receiver->pings_acked += (frame->flags & FLAG_ACK) != 0;
        return fault_none();
    case FRAME_GOAWAY:
        return take_goaway(receiver, frame);
    case FRAME_WINDOW_UPDATE:
        return take_window_update(receiver, frame, response);
    default: // PRIORITY, and types that are unknown (§5.5)
        return fault_none();
    }
}

struct fault h2_receive(struct h2_receiver *receiver, const struct frame *frame,
                        struct h2_news *news)
{
    struct frame checked = *frame;
    *news = (struct h2_news){0};
    struct fault fault = frame_check_length(frame, FRAME_SIZE_DEFAULT);
    if (!fault.scope)
        fault = frame_check(&checked);
    if (!fault.scope)
        fault = check_place(receiver, &checked);
    // A server could keep a client for ever with frames that bring nothing (§10.5).
    if (frame->type == FRAME_DATA && checked.content_length)
        receiver->empty_frames = 0;
    else if (!fault.scope && ++receiver->empty_frames > EMPTY_FRAMES_MAX)
        fault = connection_fault(ENHANCE_YOUR_CALM, "too many frames that bring nothing");
    if (!fault.scope)
        fault = take_frame(receiver, &checked, news);
    if (fault.scope == FAULT_STREAM) {
        struct response *response = h2_response(receiver, frame->stream);
        if (!response || response->ended)
            return fault_none(); // a frame of a stream that is closed: PRIORITY, WINDOW_UPDATE
        h2_give_up(receiver, response, fault.code, fault.why);
        news->response = response;
    }
    return fault;
}

uint8_t *h2_reply(const struct h2_receiver *receiver, struct hpack_encoder *encoder,
                  const struct frame *frame, uint8_t *out)
{
    if (frame->flags & FLAG_ACK)
        return out;
    if (frame->type == FRAME_SETTINGS) {
        hpack_encoder_limit(encoder, (uint32_t)receiver->header_table);
        return frame_put_settings_ack(out);
    }
    if (frame->type == FRAME_PING)
        return frame_put_ping(out, FLAG_ACK, frame->payload);
    return out;
}
