// subscriber.c: see subscriber.h. Read publisher_publish() first, then subscriber_catch_up().
#include "subscriber.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define SEND_BUFFER_BYTES 65536 // the kernel's buffer; by default it can grow to megabytes
#define SILENCE_MS        30000 // the kernel gives up a machine that acknowledges nothing so long

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
    if (!since.at)
        return news->newest;
    return feed_position(news, since);
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
    uint64_t newest = c->service->news.newest, has = c->seen;
    // Events from before it came are not in its queue: it has asked for them itself.
    if (has < c->joined)
        has = c->joined;
    if (has > newest)
        return 0;
    return newest - has;
}

bool subscriber_is_too_slow(const struct connection *c)
{
    bool waited = c->conn.events & EPOLLOUT; // the kernel had no room for the last events
    return waited && subscriber_queue(c) > (uint64_t)c->service->settings.queue;
}

bool subscriber_is_cut(const struct connection *c)
{
    return c->cuts != c->service->cuts;
}

void subscriber_sleep(struct connection *c)
{
    int64_t wake_ns = c->service->tick_ns;
    if (wake_ns > c->due_ns)
        wake_ns = c->due_ns;
    connection_wake_at(c, wake_ns);
}

void subscribers_wake(struct service *service)
{
    service->has_news = service->ring;
    if (service->has_news)
        return; // fan_out() wakes those that it does not tell
    for (struct connection *c = service->subscribers; c; c = c->next)
        // A subscriber with unsent output looks for news when the kernel has room again.
        if (!c->conn.out && !c->conn.closing)
            conn_wake(&c->conn);
}
