// fan_out.c: see fan_out.h. Read fan_out() first.
#include "fan_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "net.h"
#include "ring.h"
#include "subscriber.h"

void fan_out_begin(struct service *service)
{
    service->ring = malloc(sizeof *service->ring);
    if (!service->ring || !ring_open(service->ring))
        die("--fan-out uring: io_uring cannot be had: %s", strerror(errno));
}

void fan_out_end(struct service *service)
{
    if (!service->ring)
        return;
    ring_close(service->ring);
    free(service->ring);
}

// True if the newest event is all that this subscriber is to be sent now.
static bool misses_one_event(const struct connection *c)
{
    const struct service *service = c->service;
    if (c->conn.paused || c->conn.events & EPOLLOUT || c->content.left || subscriber_is_cut(c))
        return false;
    if (c->technique == WEBSOCKET && (c->ws.echo || c->ws.heard != service->room.newest))
        return false;
    return c->technique != WAIT && c->seen + 1 == service->news.newest;
}

static enum feed_form form_of(const struct connection *c)
{
    if (c->technique == WEBSOCKET)
        return FEED_FRAME;
    return FEED_SSE;
}

// The kernel has sent so many bytes of an event. What it has not sent goes the usual way: the
// loop calls produce(), which sends the rest, or finds out what is wrong with the connection.
static void sent(struct connection *c, struct event *event, int result)
{
    struct http_text text = event_text(event, form_of(c));
    if (result <= 0) {
        conn_wake(&c->conn);
        return;
    }
    size_t length = (size_t)result;
    c->seen = event->id;
    c->conn.sent_ns = conn_now(&c->conn);
    c->conn.sent_bytes += length;
    c->due_ns = c->conn.sent_ns + c->service->settings.heartbeat_ms * INT64_C(1000000);
    c->service->traffic[c->technique].events++;
    c->service->traffic[c->technique].bytes_out += length;
    if (length == text.length)
        return;
    event->references++;
    connection_send_from(c, (struct http_text){text.at + length, text.length - length}, event);
    conn_wake(&c->conn);
}

// Hands over the entries, and takes the results. MSG_DONTWAIT: no send waits for its client,
// so all results come at once.
static void hand_over(struct ring *ring, struct event *event, int *waiting)
{
    const struct io_uring_cqe *done;
    while (*waiting > 0) {
        ring_wait(ring, -1);
        for (; (done = ring_next(ring)); --*waiting)
            sent((struct connection *)(uintptr_t)done->user_data, event, done->res);
    }
}

void fan_out(struct service *service)
{
    struct event *event = feed_next(&service->news, service->news.newest - 1);
    int waiting = 0;
    for (struct connection *c = service->subscribers; c; c = c->next) {
        struct io_uring_sqe *entry = NULL;
        if (c->conn.out || c->conn.closing)
            continue;
        if (waiting == RING_ENTRIES)
            hand_over(service->ring, event, &waiting);
        if (event && misses_one_event(c))
            entry = ring_entry(service->ring, IORING_OP_SEND, c->conn.fd, (uintptr_t)c);
        if (!entry) {
            conn_wake(&c->conn);
            continue;
        }
        struct http_text text = event_text(event, form_of(c));
        entry->addr = (uintptr_t)text.at;
        entry->len = (uint32_t)text.length;
        entry->msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT;
        waiting++;
    }
    hand_over(service->ring, event, &waiting);
    if (event)
        event_release(event);
}
