// fake_proxy.h: a client's connection and a backend's connection of the proxy without sockets
// and without a clock: what common's loop and parts/dial.c do for them, done by hand. The loop
// must not be linked. Checks what the proxy sends: whole frames, and streams that are opened in
// order.
#ifndef FAKE_PROXY_H
#define FAKE_PROXY_H

#include <stdio.h>
#include <stdlib.h>

#include "conn.h"
#include "frontend.h"
#include "log.h"
#include "settings.h"
#include "upstream.h"

#define DIALS_MAX 6

struct settings settings;

// What has come for one end and is not used yet, and what it knows of what was sent.
struct fake_end {
    uint8_t in[LOOP_IN_BYTES], out[LOOP_OUT_BYTES];
    size_t in_length, out_length;
    uint32_t last_stream; // that the proxy has opened
    bool open, preface;
};

static struct {
    struct loop loop;
    struct frontend frontend;
    struct upstream upstream;
    struct fake_end client, backend;
    struct backend *wanted; // dial() was called
    int dials;
} fake;

static struct fake_end *fake_end_of(const struct conn *c)
{
    if (c == &fake.frontend.conn)
        return &fake.client;
    return &fake.backend;
}

int64_t conn_now(const struct conn *c)
{
    return c->loop->now_ns;
}

void conn_deadline(struct conn *c, int64_t ms)
{
    c->deadline_ns = NEVER;
    if (ms != NEVER)
        c->deadline_ns = c->loop->now_ns + ms * 1000000;
}

void conn_wake(struct conn *c)
{
    c->wake = true;
}

size_t conn_room(const struct conn *c)
{
    return LOOP_OUT_BYTES - fake_end_of(c)->out_length;
}

char *conn_space(const struct conn *c)
{
    return (char *)fake_end_of(c)->out + fake_end_of(c)->out_length;
}

void conn_wrote(struct conn *c, size_t length)
{
    fake_end_of(c)->out_length += length;
    if (fake_end_of(c)->out_length > LOOP_OUT_BYTES)
        abort(); // the proxy has written where there was no room
}

void conn_close(struct conn *c)
{
    c->closing = true;
}

bool dial(const struct sockaddr_storage *address, socklen_t length, void *owner)
{
    (void)address;
    (void)length;
    if (fake.backend.open || fake.wanted || fake.dials++ >= DIALS_MAX)
        return false;
    fake.wanted = owner;
    return true;
}

void dial_closed(const struct conn *conn)
{
    (void)conn;
}

bool dial_is_opening(const struct conn *conn)
{
    (void)conn;
    return false;
}

// Looks at the frames that the proxy has sent, and throws them away.
static void fake_check_output(struct fake_end *end, bool to_backend)
{
    size_t at = 0;
    if (to_backend && settings.http1) {
        end->out_length = 0;
        return;
    }
    if (to_backend && !end->preface && end->out_length) {
        at = PREFACE_BYTES;
        end->preface = true;
    }
    while (at < end->out_length) {
        struct frame frame;
        if (end->out_length - at < FRAME_HEADER_BYTES)
            abort();
        frame_read_header(end->out + at, &frame);
        at += FRAME_HEADER_BYTES + frame.length;
        if (at > end->out_length || frame_check_length(&frame, FRAME_SIZE_DEFAULT).scope ||
            frame_check(&frame).scope)
            abort();
        if (to_backend && frame.stream > end->last_stream && frame.type != FRAME_HEADERS)
            abort(); // of a stream that is not opened yet
        if (to_backend && frame.stream > end->last_stream)
            end->last_stream = frame.stream;
    }
    end->out_length = 0;
}

static void fake_open_backend(void)
{
    struct backend *backend = fake.wanted;
    fake.wanted = NULL;
    memset(&fake.upstream, 0, sizeof fake.upstream);
    fake.backend.in_length = fake.backend.out_length = fake.backend.last_stream = 0;
    fake.backend.preface = false;
    fake.backend.open = true;
    fake.upstream.conn.loop = &fake.loop;
    fake.upstream.conn.deadline_ns = NEVER;
    upstream_opened(&fake.upstream, backend);
}

static void fake_close_backend(void)
{
    fake_check_output(&fake.backend, true);
    fake.backend.open = false;
    upstream_calls.closed(&fake.upstream.conn);
}

// Lets the backend's end use what is here, as conn.c does.
static void fake_move_backend(void)
{
    struct conn *c = &fake.upstream.conn;
    struct fake_end *end = &fake.backend;
    if (c->wake)
        upstream_calls.woken(&fake.upstream.conn);
    c->wake = false;
    if (end->in_length && !c->paused && !c->closing && !c->broken) {
        size_t used =
            upstream_calls.received(&fake.upstream.conn, (char *)end->in, end->in_length);
        end->in_length -= used;
        memmove(end->in, end->in + used, end->in_length);
    }
    for (int i = 0;
         i < 50 && !c->broken && !c->closing && upstream_calls.produce(&fake.upstream.conn);
         i++)
        fake_check_output(end, true);
    if (c->broken || c->closing)
        fake_close_backend();
}

static void fake_move_client(void)
{
    struct fake_end *end = &fake.client;
    struct conn *c = &fake.frontend.conn;
    c->wake = false;
    if (end->in_length && !c->closing) {
        size_t used =
            frontend_calls.received(&fake.frontend.conn, (char *)end->in, end->in_length);
        end->in_length -= used;
        memmove(end->in, end->in + used, end->in_length);
    }
    fake_check_output(end, false);
    for (int i = 0; i < 50 && !c->closing && frontend_calls.produce(&fake.frontend.conn); i++)
        fake_check_output(end, false);
}

static void fake_move(void)
{
    for (int i = 0; i < 4; i++) {
        if (fake.client.open)
            fake_move_client();
        if (fake.wanted)
            fake_open_backend();
        if (fake.backend.open)
            fake_move_backend();
    }
}

static void fake_take(struct fake_end *end, const uint8_t *bytes, size_t length)
{
    if (!end->open || length > sizeof end->in - end->in_length)
        return;
    memcpy(end->in + end->in_length, bytes, length);
    end->in_length += length;
    fake_move();
}

static void fake_begin(bool http1)
{
    settings = (struct settings){.http1 = http1,
                                 .pool = 1,
                                 .streams = 100,
                                 .answer_ms = 60000,
                                 .stall_ms = 30000,
                                 .idle_ms = 60000,
                                 .tell = true};
    if (backend_count == 0)
        backends_add("127.0.0.1:1");
    backends[0].down_until_ns = 0;
    memset(&fake.frontend, 0, sizeof fake.frontend);
    fake.client.in_length = fake.client.out_length = 0;
    fake.client.open = true;
    fake.dials = 0;
    fake.loop.now_ns = 1;
    fake.frontend.conn.loop = &fake.loop;
    fake.frontend.conn.fd = -1;
    fake.frontend.conn.deadline_ns = NEVER;
    frontend_opened(&fake.frontend);
}

// The client goes, then the backend. Nothing may be left.
static void fake_end(void)
{
    fake.client.open = false;
    fake.client.out_length = 0;
    frontend_calls.closed(&fake.frontend.conn);
    fake_move();
    fake.dials = DIALS_MAX;
    if (fake.backend.open)
        fake_close_backend();
    if (bytes_used() > 0 || backends[0].first || backends[0].connections || backends[0].dialing)
        abort();
}

#endif
