// fake_loop.h: one connection of the server without a socket and without a clock, for test.c
// and fuzz.c: what the loop does for it, done by hand. server.c is included whole, because a
// test calls what only the loop calls; the loop itself must not be linked.
#ifndef FAKE_LOOP_H
#define FAKE_LOOP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smaller.h"

int server_main(int argc, char **argv);
#define main server_main
#include "server.c"
#undef main

#define FAKE_WIRE_BYTES (8 << 20)

static struct {
    struct connection connection;
    int64_t now_ns, deadline_ns;
    uint8_t in[LOOP_IN_BYTES], out[LOOP_OUT_BYTES];
    size_t in_length, out_length;
    uint8_t wire[FAKE_WIRE_BYTES]; // all that the server has sent
    size_t wire_length;
    size_t read_at; // of the wire: what fake_frame() comes to next
} fake;

long loop_run(int listener, const struct loop_server *calls)
{
    (void)listener;
    (void)calls;
    return 0; // the server's main() is not called
}

int64_t conn_now(const struct conn *c)
{
    (void)c;
    return fake.now_ns;
}

void conn_deadline(struct conn *c, int64_t ms)
{
    (void)c;
    fake.deadline_ns = ms == NEVER ? NEVER : fake.now_ns + ms * INT64_C(1000000);
}

void conn_wake(struct conn *c)
{
    if (c == &fake.connection.conn)
        fake.deadline_ns = fake.now_ns;
}

size_t conn_room(const struct conn *c)
{
    (void)c;
    return sizeof fake.out - fake.out_length;
}

char *conn_space(const struct conn *c)
{
    (void)c;
    return (char *)fake.out + fake.out_length;
}

void conn_wrote(struct conn *c, size_t length)
{
    (void)c;
    fake.out_length += length;
    if (fake.out_length > sizeof fake.out)
        abort(); // the server has written where there was no room
}

void conn_close(struct conn *c)
{
    c->closing = true;
}

static void fake_begin(void)
{
    log_begin(true);
    memset(&fake.connection, 0, sizeof fake.connection);
    service.requests = 0;
    fake.now_ns = 1;
    fake.in_length = fake.out_length = fake.wire_length = fake.read_at = 0;
    opened(&fake.connection.conn);
}

static void fake_end(void)
{
    closed(&fake.connection.conn);
}

static bool fake_flush(void)
{
    bool any = fake.out_length > 0;
    if (fake.out_length > sizeof fake.wire - fake.wire_length)
        abort(); // more than a test expects
    memcpy(fake.wire + fake.wire_length, fake.out, fake.out_length);
    fake.wire_length += fake.out_length;
    fake.out_length = 0;
    return any;
}

// Lets the server use what has come, and send what it has to say.
static void fake_run(void)
{
    for (bool more = true; more;) {
        size_t used = 0;
        if (fake.in_length && !fake.connection.conn.closing)
            used = received(&fake.connection.conn, (const char *)fake.in, fake.in_length);
        if (used > fake.in_length)
            abort();
        memmove(fake.in, fake.in + used, fake.in_length - used);
        fake.in_length -= used;
        more = !fake.connection.conn.closing && produce(&fake.connection.conn);
        more = fake_flush() || more;
    }
}

// The client has sent this.
static void fake_say(const uint8_t *bytes, size_t length)
{
    while (length && !fake.connection.conn.closing) {
        size_t part = smaller(sizeof fake.in - fake.in_length, length);
        if (part == 0)
            abort(); // the server waits for more than it can have
        memcpy(fake.in + fake.in_length, bytes, part);
        fake.in_length += part;
        bytes += part;
        length -= part;
        fake_run();
    }
}

// Time passes.
static void fake_wait(double ms)
{
    fake.now_ns += (int64_t)(ms * 1e6);
    if (fake.now_ns >= fake.deadline_ns && !fake.connection.conn.closing) {
        fake.deadline_ns = NEVER;
        timeout(&fake.connection.conn);
        fake_run();
    }
}

// The next frame that the server has sent; false if there is none. Aborts if it is none.
static bool fake_frame(struct frame *frame)
{
    size_t left = fake.wire_length - fake.read_at;
    if (left == 0)
        return false;
    if (left >= FRAME_HEADER_BYTES)
        frame_read_header(fake.wire + fake.read_at, frame);
    if (left < FRAME_HEADER_BYTES || left - FRAME_HEADER_BYTES < frame->length ||
        frame->length > FRAME_SIZE_DEFAULT || frame_check(frame).scope) {
        fprintf(stderr, "the server has sent what is no frame\n");
        abort();
    }
    fake.read_at += FRAME_HEADER_BYTES + frame->length;
    return true;
}

#endif
