// publisher.c: see publisher.h. Read publisher_publish() first.
#include "publisher.h"

#include <stdio.h>
#include <time.h>

#include "subscriber.h"

#define TURN_EVENTS 50  // events that may be published in one round of the loop
#define TURN_MS     1   // a publisher then waits at least so long, while subscribers are served
#define MOVING_MS   200 // a subscriber reads if the kernel has sent it bytes in this time

uint64_t publisher_publish(struct connection *publisher, struct feed *feed,
                           struct http_text name, struct http_text data,
                           const struct connection *author)
{
    struct service *service = publisher->service;
    uint64_t id = feed_publish(feed, name, data, author);
    if (id)
        subscribers_wake(service);
    publisher->published_ns = conn_now(&publisher->conn);
    if (service->round_ns != publisher->published_ns)
        service->round_events = 0;
    service->round_ns = publisher->published_ns;
    service->round_events++;
    return id;
}

// ---- whose turn it is ----------------------------------------------------------------------

// Half of what a subscriber may be behind before it loses events.
static uint64_t half(const struct service *service)
{
    uint64_t most = (uint64_t)service->settings.queue;
    if (most > service->news.size)
        most = service->news.size;
    return most / 2;
}

// True for a subscriber that reads, but more slowly than events are published.
static bool is_lagging(const struct connection *subscriber)
{
    const struct service *service = subscriber->service;
    const struct conn *conn = &subscriber->conn;
    int64_t idle_ns = conn_now(conn) - conn->sent_ns;
    if (!conn->out || idle_ns > MOVING_MS * INT64_C(1000000))
        return false;
    if (subscriber->technique != WEBSOCKET)
        return subscriber_queue(subscriber) > half(service);
    if (subscriber->ws.echo)
        return false;
    return subscriber_queue(subscriber) > half(service) ||
           service->room.newest > subscriber->ws.heard + service->room.size / 2;
}

static bool any_is_lagging(const struct service *service)
{
    for (const struct connection *subscriber = service->subscribers; subscriber;
         subscriber = subscriber->next)
        if (is_lagging(subscriber))
            return true;
    return false;
}

bool publisher_turn_is_over(const struct connection *publisher)
{
    const struct service *service = publisher->service;
    uint64_t most = half(service);
    if (most > TURN_EVENTS)
        most = TURN_EVENTS;
    if (publisher->published_ns != conn_now(&publisher->conn))
        return false;
    return service->round_events >= most || any_is_lagging(service);
}

bool publisher_may_publish(const struct connection *publisher)
{
    return publisher->published_ns != conn_now(&publisher->conn) &&
           !any_is_lagging(publisher->service);
}

void publisher_pause(struct connection *publisher)
{
    publisher->conn.paused = true; // its next requests wait in the kernel, then at the client
    conn_deadline(&publisher->conn, TURN_MS);
}

// ---- the feed's own events -----------------------------------------------------------------

// Makes one event of the feed's own. Its data says at which time of day it happened.
static void make_event(struct service *service, int64_t late_ns, int number)
{
    char text[100];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t at_us = (now.tv_sec * INT64_C(1000000000) + now.tv_nsec - late_ns) / 1000;
    int length = snprintf(text, sizeof text, "{\"at_us\":%lld,\"text\":\"tick %llu.%d\"}",
                          (long long)at_us, (unsigned long long)service->ticks, number);
    feed_publish(&service->news, (struct http_text){NULL, 0},
                 (struct http_text){text, (size_t)length}, NULL);
}

void publisher_tick(struct service *service, int64_t at_ns)
{
    if (service->tick_ns > at_ns)
        return;
    int64_t step_ns = (int64_t)(1e9 / service->settings.rate);
    // After a long time without a subscriber: more events than the ring holds are not needed.
    int64_t most_ns = step_ns * (service->news.size / service->settings.burst + 1);
    if (at_ns - service->tick_ns > most_ns)
        service->tick_ns = at_ns - most_ns;
    for (; service->tick_ns <= at_ns; service->tick_ns += step_ns) {
        service->ticks++;
        for (int i = 1; i <= service->settings.burst; i++)
            make_event(service, at_ns - service->tick_ns, i);
    }
    subscribers_wake(service);
}
