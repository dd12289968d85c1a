// talk.c: see talk.h. Read talk_request() first, then talk_step(). What comes in is in
// hearing.c.
#include "talk.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "hearing.h"
#include "net.h"

#define STREAMS_MAX_DEFAULT 100 // until the server has said how many (§6.5.2: not less)

static const char *server_host;
static int server_port;
static char authority[TALK_AUTHORITY];

void talk_with(const char *host, int port)
{
    server_host = host;
    server_port = port;
    snprintf(authority, sizeof authority, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
}

const char *talk_authority(void)
{
    return authority;
}

// ---- what goes out -------------------------------------------------------------------------

void talk_flush(struct talk *talk)
{
    if (talk->out_length && !talk->closed &&
        !write_all(talk->fd, talk->out, talk->out_length)) {
        if (errno == EAGAIN)
            die("the server has taken nothing for %d seconds", PATIENCE_MS / 1000);
        talk->closed = true; // there may still be something to read: why
    }
    talk->out_length = 0;
}

static uint8_t *space(struct talk *talk, size_t bytes)
{
    if (TALK_BYTES - talk->out_length < bytes)
        talk_flush(talk);
    return talk->out + talk->out_length;
}

uint8_t *talk_space(struct talk *talk)
{
    return space(talk, TALK_ROOM);
}

void talk_wrote(struct talk *talk, const uint8_t *end)
{
    while (talk->out + talk->out_length < end) {
        struct frame frame;
        frame_read_header(talk->out + talk->out_length, &frame);
        talk_announce(talk, true, &frame);
        talk->out_length += FRAME_HEADER_BYTES + frame.length;
    }
}

uint32_t talk_request(struct talk *talk, const struct hpack_field *fields, size_t count)
{
    size_t bound = FRAME_HEADER_BYTES + hpack_bound(fields, count);
    uint32_t stream = talk->next_stream & STREAM_ID_MAX;
    struct reply *reply = talk_slot(talk, stream);
    if (bound > FRAME_SIZE_DEFAULT)
        die("a request of %zu bytes is too long", bound);
    if (reply->stream && !reply->ended && reply->stream != stream)
        die("more than %d requests at once", TALK_REPLIES);
    uint8_t *start = space(talk, bound), *block = start + FRAME_HEADER_BYTES;
    uint8_t *end = hpack_encode(&talk->encoder, block, fields, count);
    frame_put_header(start, (uint32_t)(end - block), FRAME_HEADERS,
                     FLAG_END_HEADERS | FLAG_END_STREAM, talk->next_stream);
    talk_wrote(talk, end);
    if (talk->listener && talk->listener->fields)
        talk->listener->fields(talk, true, fields, count);
    *reply = (struct reply){.stream = stream, .window = talk->initial};
    talk->last_stream = stream > talk->last_stream ? stream : talk->last_stream;
    talk->next_stream = stream + 2;
    talk->open++;
    return stream;
}

void talk_fields(struct hpack_field fields[TALK_FIELDS], const char *path)
{
    fields[0] = hpack_field(":method", "GET");
    fields[1] = hpack_field(":scheme", "http");
    fields[2] = hpack_field(":authority", authority);
    fields[3] = hpack_field(":path", path);
    fields[3].indexing = HPACK_NOT_INDEXED;
}

uint32_t talk_get(struct talk *talk, const char *path)
{
    struct hpack_field fields[TALK_FIELDS];
    talk_fields(fields, path);
    return talk_request(talk, fields, TALK_FIELDS);
}

void talk_widen(struct talk *talk, uint32_t stream, uint32_t increment)
{
    talk_wrote(talk, frame_put_window_update(talk_space(talk), stream, increment));
    if (stream)
        talk_slot(talk, stream)->window += increment;
    else
        talk->window += increment;
}

static void put_settings(struct talk *talk, const struct setting *settings, uint32_t count)
{
    talk->settings[talk->settings_sent++ % TALK_SETTINGS] = -1;
    for (uint32_t i = 0; i < count; i++)
        if (settings[i].id == SETTINGS_INITIAL_WINDOW_SIZE)
            talk->settings[(talk->settings_sent - 1) % TALK_SETTINGS] = settings[i].value;
    talk_wrote(talk, frame_put_settings(talk_space(talk), settings, count));
}

void talk_initial_window(struct talk *talk, uint32_t initial)
{
    put_settings(talk, &(struct setting){SETTINGS_INITIAL_WINDOW_SIZE, initial}, 1);
}

// ---- waiting -------------------------------------------------------------------------------

bool talk_step(struct talk *talk)
{
    ssize_t got;
    talk_flush(talk);
    if (talk->fault.scope)
        return false;
    talk->in_length -= talk->in_at;
    memmove(talk->in, talk->in + talk->in_at, talk->in_length);
    talk->in_at = 0;
    do
        got = read(talk->fd, talk->in + talk->in_length, TALK_BYTES - talk->in_length);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        die("nothing has come for %d seconds", PATIENCE_MS / 1000);
    talk->closed = got <= 0;
    talk->in_length += got > 0 ? (size_t)got : 0;
    talk->read_ns = now_ns();
    while (!talk->closed && talk_take(talk))
        ;
    talk_flush(talk);
    return !talk->closed;
}

const struct reply *talk_reply(const struct talk *talk, uint32_t stream)
{
    static const struct reply nothing;
    const struct reply *reply = &talk->replies[stream / 2 % TALK_REPLIES];
    return reply->stream == stream ? reply : &nothing;
}

bool talk_await(struct talk *talk, uint32_t stream)
{
    while (!talk_reply(talk, stream)->ended)
        if (!talk_step(talk))
            return talk_reply(talk, stream)->ended;
    return true;
}

bool talk_await_all(struct talk *talk)
{
    while (talk->open)
        if (!talk_step(talk))
            return talk->open == 0;
    return true;
}

bool talk_ping(struct talk *talk)
{
    static const uint8_t opaque[8] = "are you?";
    uint32_t acked = talk->pings_acked;
    talk_wrote(talk, frame_put_ping(talk_space(talk), 0, opaque));
    while (talk->pings_acked == acked)
        if (!talk_step(talk))
            return false;
    return true;
}

void talk_await_end(struct talk *talk)
{
    while (talk_step(talk))
        ;
}

// ---- begin and end -------------------------------------------------------------------------

void talk_begin(struct talk *talk, int fd, uint32_t window,
                const struct talk_listener *listener)
{
    struct setting settings[] = {{SETTINGS_ENABLE_PUSH, 0},
                                 {SETTINGS_INITIAL_WINDOW_SIZE, window}};
    *talk = (struct talk){.fd = fd,
                          .listener = listener,
                          .next_stream = 1,
                          .streams_max = STREAMS_MAX_DEFAULT,
                          .generous = window > 0,
                          .window = WINDOW_DEFAULT,
                          .initial = WINDOW_DEFAULT,
                          .half = window / 2};
    hpack_encoder_begin(&talk->encoder);
    hpack_decoder_begin(&talk->decoder);
    memcpy(talk->out, PREFACE, PREFACE_BYTES);
    talk->out_length = PREFACE_BYTES;
    put_settings(talk, settings, window ? 2 : 1);
    if (window > WINDOW_DEFAULT)
        talk_widen(talk, 0, window - WINDOW_DEFAULT);
}

int talk_connect(void)
{
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    int one = 1, fd = net_connect_or_die(server_host, server_port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); // lesson 09
    return fd;
}

void talk_open(struct talk *talk, uint32_t window, const struct talk_listener *listener)
{
    talk_begin(talk, talk_connect(), window, listener);
}

void talk_close(struct talk *talk)
{
    if (!talk->closed) {
        talk_wrote(talk, frame_put_goaway(talk_space(talk), 0, NO_ERROR, ""));
        talk_flush(talk);
    }
    close(talk->fd);
    hpack_table_free(&talk->encoder.table);
    hpack_table_free(&talk->decoder.table);
}
