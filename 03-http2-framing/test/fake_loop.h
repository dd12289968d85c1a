// lab.h: a session without sockets and without a clock, for test.c and fuzz.c: what the loop
// does for it, done by hand. The program that includes this must not use conn.c as well.
#ifndef LAB_H
#define LAB_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "story.h"

#define LAB_WIRE_BYTES (8 << 20)

static struct {
    struct conn conn;
    struct session session;
    struct service service;
    int64_t now_ns, deadline_ns;
    uint8_t in[LOOP_IN_BYTES], out[LOOP_OUT_BYTES];
    size_t in_length, out_length;
    uint8_t wire[LAB_WIRE_BYTES]; // all that the session has sent
    size_t wire_length;
    size_t read_at; // of the wire: what lab_frame() comes to next
} lab;

int64_t conn_now(const struct conn *c)
{
    (void)c;
    return lab.now_ns;
}

void conn_deadline(struct conn *c, int64_t ms)
{
    (void)c;
    lab.deadline_ns = ms == NEVER ? NEVER : lab.now_ns + ms * INT64_C(1000000);
}

size_t conn_room(const struct conn *c)
{
    (void)c;
    return sizeof lab.out - lab.out_length;
}

char *conn_space(const struct conn *c)
{
    (void)c;
    return (char *)lab.out + lab.out_length;
}

void conn_wrote(struct conn *c, size_t length)
{
    (void)c;
    lab.out_length += length;
    if (lab.out_length > sizeof lab.out)
        abort(); // the session has written where there was no room
}

void conn_close(struct conn *c)
{
    c->closing = true;
}

static void lab_begin(void)
{
    story_quiet(true);
    lab.conn = (struct conn){0};
    lab.service = (struct service){.streams_max = 100,
                                   .table_bytes = TABLE_SIZE_DEFAULT,
                                   .idle_ms = 60000,
                                   .stall_ms = 30000};
    lab.now_ns = 1;
    lab.in_length = lab.out_length = lab.wire_length = lab.read_at = 0;
    session_begin(&lab.session, &lab.conn, &lab.service);
}

static void lab_end(void)
{
    session_closed(&lab.session);
}

static bool lab_flush(void)
{
    bool any = lab.out_length > 0;
    if (lab.out_length > sizeof lab.wire - lab.wire_length)
        abort(); // more than a test expects
    memcpy(lab.wire + lab.wire_length, lab.out, lab.out_length);
    lab.wire_length += lab.out_length;
    lab.out_length = 0;
    return any;
}

// Lets the session use what has come, and send what it has to say.
static void lab_run(void)
{
    for (bool more = true; more;) {
        size_t used = 0;
        if (lab.in_length && !lab.conn.closing)
            used = session_received(&lab.session, lab.in, lab.in_length);
        if (used > lab.in_length)
            abort();
        memmove(lab.in, lab.in + used, lab.in_length - used);
        lab.in_length -= used;
        more = !lab.conn.closing && session_produce(&lab.session);
        more = lab_flush() || more;
    }
}

// The client has sent this.
static void lab_say(const uint8_t *bytes, size_t length)
{
    while (length && !lab.conn.closing) {
        size_t part = sizeof lab.in - lab.in_length;
        part = part < length ? part : length;
        if (part == 0)
            abort(); // the session waits for more than it can have
        memcpy(lab.in + lab.in_length, bytes, part);
        lab.in_length += part;
        bytes += part;
        length -= part;
        lab_run();
    }
}

// Time passes.
static void lab_wait(double ms)
{
    lab.now_ns += (int64_t)(ms * 1e6);
    if (lab.now_ns >= lab.deadline_ns && !lab.conn.closing) {
        lab.deadline_ns = NEVER;
        session_timeout(&lab.session);
        lab_run();
    }
}

// The next frame that the session has sent; false if there is none. Aborts if it is none.
static bool lab_frame(struct frame *frame)
{
    size_t left = lab.wire_length - lab.read_at;
    if (left == 0)
        return false;
    if (left >= FRAME_HEADER_BYTES)
        frame_read_header(lab.wire + lab.read_at, frame);
    if (left < FRAME_HEADER_BYTES || left - FRAME_HEADER_BYTES < frame->length ||
        frame->length > FRAME_SIZE_DEFAULT || frame_check(frame).scope) {
        fprintf(stderr, "the session has sent what is no frame\n");
        abort();
    }
    lab.read_at += FRAME_HEADER_BYTES + frame->length;
    return true;
}

#endif
