// subscriber.c: see subscriber.h. Read publisher_publish() first, then subscriber_catch_up().
#include "subscriber.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

// The queue of a subscriber begins in the kernel, which by default would keep megabytes for it.
#define SEND_BUFFER_BYTES 65536
// A subscriber whose machine is gone says nothing at all; the kernel gives up on it after so
// long.
#define SILENCE_MS 30000

void subscriber_join(struct connection *c, uint64_t seen)
{
    struct service *service = c->service;
    c->seen = seen;
    c->joined = service->news.newest;
    c->cuts = service->cuts;
    c->subscribed = true;
    c->previous = NULL;
    c->next = service->subscribers;
    if (c->next)
        c->next->previous = c;
    service->subscribers = c;
    if (c->technique != WAIT) { // it stays for long
        int bytes = SEND_BUFFER_BYTES, ms = SILENCE_MS;
        setsockopt(c->conn.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
        setsockopt(c->conn.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    }
}

void subscriber_leave(struct connection *c)
{
    if (!c->subscribed)
        return;
    c->subscribed = false;
    if (c->next)
        c->next->previous = c->previous;
    if (c->previous)
        c->previous->next = c->next;
    else
        c->service->subscribers = c->next;
}

uint64_t subscriber_position(struct connection *c, struct http_text since)
{
    const struct feed *news = &c->service->news;
    return since.at ? feed_position(news, since) : news->newest;
}

bool subscriber_has_seen(const struct connection *c, const struct http_request *request,
                         uint64_t *seen)
{
    struct http_text since = http_parameter(request->query, "since");
    uint64_t number;
    if (!since.at)
        return true;
    *seen = feed_position(&c->service->news, since);
    return http_number(since, UINT64_MAX, &number);
}

bool subscriber_catch_up(struct connection *c, const struct feed *feed, uint64_t *seen,
                         enum feed_form form)
{
    bool any = false;
    struct event *event;
    while (conn_room(&c->conn)) {
        if (connection_send(c)) { // the rest of an event
            any = true;
            continue;
        }
        if (*seen == feed->newest || !(event = feed_next(feed, *seen)))
            break;
        *seen = event->id;
        if (event->author == c) {
            event_release(event);
            continue;
        }
        connection_send_from(c, event_text(event, form), event);
        c->service->traffic[c->technique].events++;
    }
    return any;
}

uint64_t subscriber_queue(const struct connection *c)
{
    uint64_t newest = c->service->news.newest;
    // What it asked for when it came is its history, not its queue.
    uint64_t has = c->seen > c->joined || c->seen > newest ? c->seen : c->joined;
    return has < newest ? newest - has : 0;
}

bool subscriber_is_too_slow(const struct connection *c)
{
    bool waited = c->conn.events & EPOLLOUT; // there was no room for what it was sent before
    return waited && subscriber_queue(c) > (uint64_t)c->service->settings.queue;
}

bool subscriber_is_cut(const struct connection *c)
{
    return c->cuts != c->service->cuts;
}

void subscriber_sleep(struct connection *c)
{
    int64_t tick_ns = c->service->tick_ns;
    connection_wake_at(c, c->due_ns < tick_ns ? c->due_ns : tick_ns);
}

void subscribers_wake(struct service *service)
{
    for (struct connection *c = service->subscribers; c; c = c->next)
        // One that has output waiting looks when the kernel has room again.
        if (!c->conn.out && !c->conn.closing)
            conn_wake(&c->conn);
}
