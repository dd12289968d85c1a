// h2_client.c: see h2_client.h. Read h2_request() first, then h2_step() and take().
#include "h2_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net.h"

static const char *server_host;
static int server_port;
static char authority[H2_AUTHORITY];

void h2_server_at(const char *host, int port)
{
    server_host = host;
    server_port = port;
    snprintf(authority, sizeof authority, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
}

const char *h2_authority(void)
{
    return authority;
}

// ---- what goes out -------------------------------------------------------------------------

void h2_flush(struct h2_client *client)
{
    if (client->out_length && !client->closed &&
        !write_all(client->fd, client->out, client->out_length)) {
        if (errno == EAGAIN)
            die("the server has taken nothing for %d seconds", ANSWER_MS / 1000);
        client->closed = true; // there may still be something to read: why
    }
    client->out_length = 0;
}

static uint8_t *space(struct h2_client *client, size_t bytes)
{
    if (H2_BYTES - client->out_length < bytes)
        h2_flush(client);
    return client->out + client->out_length;
}

uint8_t *h2_space(struct h2_client *client)
{
    return space(client, H2_ROOM);
}

static void announce(struct h2_client *client, bool to_server, const struct frame *frame)
{
    if (client->listener && client->listener->frame)
        client->listener->frame(client, to_server, frame);
}

void h2_wrote(struct h2_client *client, const uint8_t *end)
{
    while (client->out + client->out_length < end) {
        struct frame frame;
        frame_read_header(client->out + client->out_length, &frame);
        announce(client, true, &frame);
        client->out_length += FRAME_HEADER_BYTES + frame.length;
    }
}

uint32_t h2_request(struct h2_client *client, const struct hpack_field *fields, size_t count)
{
    size_t bound = FRAME_HEADER_BYTES + hpack_bound(fields, count);
    uint32_t stream = client->next_stream & STREAM_ID_MAX;
    const struct response *before = &client->responses[stream / 2 % H2_ANSWERS];
    if (bound > FRAME_SIZE_DEFAULT)
        die("a request of %zu bytes is too long", bound);
    if (before->stream && !before->ended && before->stream != stream)
        die("more than %d requests at once", H2_ANSWERS);
    uint8_t *start = space(client, bound), *block = start + FRAME_HEADER_BYTES;
    uint8_t *end = hpack_encode(&client->encoder, block, fields, count);
    frame_put_header(start, (uint32_t)(end - block), FRAME_HEADERS,
                     FLAG_END_HEADERS | FLAG_END_STREAM, client->next_stream);
    h2_wrote(client, end);
    if (client->listener && client->listener->fields)
        client->listener->fields(client, true, fields, count);
    h2_asked(&client->receiver, stream);
    client->next_stream = stream + 2;
    return stream;
}

void h2_fields(struct hpack_field fields[H2_FIELDS], const char *path)
{
    fields[0] = hpack_field(":method", "GET");
    fields[1] = hpack_field(":scheme", "http");
    fields[2] = hpack_field(":authority", authority);
    fields[3] = hpack_field(":path", path);
    fields[3].indexing = HPACK_NOT_INDEXED;
}

uint32_t h2_get(struct h2_client *client, const char *path)
{
    struct hpack_field fields[H2_FIELDS];
    h2_fields(fields, path);
    return h2_request(client, fields, H2_FIELDS);
}

void h2_widen(struct h2_client *client, uint32_t stream, uint32_t increment)
{
    h2_wrote(client, frame_put_window_update(h2_space(client), stream, increment));
    h2_window_opened(&client->receiver, stream, increment);
}

static void put_settings(struct h2_client *client, const struct setting *settings,
                         uint32_t count)
{
    int64_t initial = -1;
    for (uint32_t i = 0; i < count; i++)
        if (settings[i].id == SETTINGS_INITIAL_WINDOW_SIZE)
            initial = settings[i].value;
    h2_settings_sent(&client->receiver, initial);
    h2_wrote(client, frame_put_settings(h2_space(client), settings, count));
}

void h2_initial_window(struct h2_client *client, uint32_t initial)
{
    put_settings(client, &(struct setting){SETTINGS_INITIAL_WINDOW_SIZE, initial}, 1);
}

// ---- what comes in -------------------------------------------------------------------------

// Gives back what was used of a window when it is worth a frame.
static void give_back(struct h2_client *client, uint32_t stream, uint32_t *used)
{
    if (!client->generous || *used < client->half)
        return;
    h2_widen(client, stream, *used);
    *used = 0;
}

// Says what a frame that was taken asks for.
static void answer(struct h2_client *client, const struct frame *frame,
                   const struct h2_news *news)
{
    h2_wrote(client, h2_reply(&client->receiver, &client->encoder, frame, h2_space(client)));
    if (frame->type != FRAME_DATA)
        return;
    give_back(client, 0, &client->receiver.used);
    if (news->response && !news->response->ended)
        give_back(client, frame->stream, &news->response->used);
}

static void refuse(struct h2_client *client, uint32_t stream, struct fault fault)
{
    if (fault.scope == FAULT_STREAM) {
        h2_wrote(client, frame_put_rst_stream(h2_space(client), stream, fault.code));
        return;
    }
    h2_wrote(client, frame_put_goaway(h2_space(client), 0, fault.code, fault.why));
    h2_flush(client);
    client->fault = fault;
    client->closed = true;
}

// Takes one frame of what was read. False: none is whole, or the connection is at its end.
static bool take(struct h2_client *client)
{
    const uint8_t *bytes = client->in + client->in_at;
    const struct h2_listener *listener = client->listener;
    size_t there = client->in_length - client->in_at;
    struct frame frame;
    struct h2_news news = {0};
    if (there < FRAME_HEADER_BYTES)
        return false;
    frame_read_header(bytes, &frame);
    struct fault fault = frame_check_length(&frame, FRAME_SIZE_DEFAULT);
    if (client->position == 0 && !memcmp(bytes, "HTTP/1.", 7))
        fault = connection_fault(PROTOCOL_ERROR, "it answers in HTTP/1");
    if (!fault.scope && there < FRAME_HEADER_BYTES + frame.length)
        return false;
    if (!fault.scope) {
        announce(client, false, &frame);
        fault = h2_receive(&client->receiver, &frame, &news);
    }
    if (news.response && news.response->ended)
        news.response->ended_ns = client->read_ns;
    if (news.list && listener && listener->fields)
        listener->fields(client, false, news.list->fields, news.list->count);
    if (fault.scope)
        refuse(client, frame.stream, fault);
    else
        answer(client, &frame, &news);
    client->in_at += FRAME_HEADER_BYTES + frame.length;
    client->position += FRAME_HEADER_BYTES + frame.length;
    return !client->closed;
}

// ---- waiting -------------------------------------------------------------------------------

bool h2_step(struct h2_client *client)
{
    ssize_t got;
    h2_flush(client);
    if (client->fault.scope)
        return false;
    client->in_length -= client->in_at;
    memmove(client->in, client->in + client->in_at, client->in_length);
    client->in_at = 0;
    do
        got = read(client->fd, client->in + client->in_length, H2_BYTES - client->in_length);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        die("nothing has come for %d seconds", ANSWER_MS / 1000);
    client->closed = got <= 0;
    if (got > 0)
        client->in_length += (size_t)got;
    client->read_ns = now_ns();
    while (!client->closed && take(client))
        ;
    h2_flush(client);
    return !client->closed;
}

const struct response *h2_answer(struct h2_client *client, uint32_t stream)
{
    static const struct response nothing;
    const struct response *response = h2_response(&client->receiver, stream);
    if (!response)
        return &nothing;
    return response;
}

bool h2_await(struct h2_client *client, uint32_t stream)
{
    while (!h2_answer(client, stream)->ended)
        if (!h2_step(client))
            return h2_answer(client, stream)->ended;
    return true;
}

bool h2_await_all(struct h2_client *client)
{
    while (client->receiver.open)
        if (!h2_step(client))
            return client->receiver.open == 0;
    return true;
}

bool h2_ping(struct h2_client *client)
{
    static const uint8_t opaque[8] = "are you?";
    uint32_t acked = client->receiver.pings_acked;
    h2_wrote(client, frame_put_ping(h2_space(client), 0, opaque));
    while (client->receiver.pings_acked == acked)
        if (!h2_step(client))
            return false;
    return true;
}

void h2_await_end(struct h2_client *client)
{
    while (h2_step(client))
        ;
}

// ---- begin and end -------------------------------------------------------------------------

void h2_begin(struct h2_client *client, int fd, uint32_t window,
              const struct h2_listener *listener)
{
    struct setting settings[] = {{SETTINGS_ENABLE_PUSH, 0},
                                 {SETTINGS_INITIAL_WINDOW_SIZE, window}};
    *client = (struct h2_client){.fd = fd,
                                 .listener = listener,
                                 .next_stream = 1,
                                 .generous = window > 0,
                                 .half = window / 2};
    h2_receiver_begin(&client->receiver, client->responses, H2_ANSWERS);
    hpack_encoder_begin(&client->encoder);
    memcpy(client->out, PREFACE, PREFACE_BYTES);
    client->out_length = PREFACE_BYTES;
    put_settings(client, settings, window ? 2 : 1);
    if (window > WINDOW_DEFAULT)
        h2_widen(client, 0, window - WINDOW_DEFAULT);
}

int h2_connect(void)
{
    struct timeval patience = {.tv_sec = ANSWER_MS / 1000};
    int fd = net_connect_or_die(server_host, server_port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    net_send_at_once(fd);
    return fd;
}

void h2_open(struct h2_client *client, uint32_t window, const struct h2_listener *listener)
{
    h2_begin(client, h2_connect(), window, listener);
}

void h2_close(struct h2_client *client)
{
    if (!client->closed) {
        h2_wrote(client, frame_put_goaway(h2_space(client), 0, NO_ERROR, ""));
        h2_flush(client);
    }
    close(client->fd);
    hpack_table_free(&client->encoder.table);
    h2_receiver_end(&client->receiver);
}
