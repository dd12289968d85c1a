// reader.c: see reader.h. Read reader_publish() first, then reader_catch_up().
#include "reader.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

// The queue of a reader begins in the kernel, which by default would keep megabytes for it.
#define SEND_BUFFER_BYTES 65536
// A reader whose machine is gone says nothing at all; the kernel gives up on it after so long.
#define SILENCE_MS 30000

// Events that may be published in one round of the loop before the readers have their turn, and
// for how long a publisher then waits at least.
#define TURN_EVENTS 50
#define TURN_MS     1
// A reader to which the kernel has sent something so recently does read.
#define MOVING_MS 200

void reader_join(struct session *s, uint64_t seen)
{
    struct service *service = s->service;
    s->seen = seen;
    s->joined = service->news.newest;
    s->cuts = service->cuts;
    s->reading = true;
    s->previous = NULL;
    s->next = service->readers;
    if (s->next)
        s->next->previous = s;
    service->readers = s;
    if (s->technique != WAIT) { // it stays for long
        int bytes = SEND_BUFFER_BYTES, ms = SILENCE_MS;
        setsockopt(s->conn.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
        setsockopt(s->conn.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    }
}

void reader_leave(struct session *s)
{
    if (!s->reading)
        return;
    s->reading = false;
    if (s->next)
        s->next->previous = s->previous;
    if (s->previous)
        s->previous->next = s->next;
    else
        s->service->readers = s->next;
}

uint64_t reader_position(struct session *s, struct http_text since)
{
    const struct feed *news = &s->service->news;
    return since.at ? feed_position(news, since) : news->newest;
}

bool reader_has_seen(const struct session *s, const struct request *request, uint64_t *seen)
{
    struct http_text since = http_parameter(request->query, "since");
    uint64_t number;
    if (!since.at)
        return true;
    *seen = feed_position(&s->service->news, since);
    return http_number(since, UINT64_MAX, &number);
}

bool reader_catch_up(struct session *s, const struct feed *feed, uint64_t *seen,
                     enum feed_form form)
{
    bool any = false;
    struct event *event;
    while (conn_room(&s->conn)) {
        if (session_send(s)) { // the rest of an event
            any = true;
            continue;
        }
        if (*seen == feed->newest || !(event = feed_next(feed, *seen)))
            break;
        *seen = event->id;
        if (event->author == s) {
            event_release(event);
            continue;
        }
        session_send_from(s, event_text(event, form), event);
        s->service->traffic[s->technique].events++;
    }
    return any;
}

uint64_t reader_queue(const struct session *s)
{
    uint64_t newest = s->service->news.newest;
    // What it asked for when it came is its history, not its queue.
    uint64_t has = s->seen > s->joined || s->seen > newest ? s->seen : s->joined;
    return has < newest ? newest - has : 0;
}

bool reader_is_too_slow(const struct session *s)
{
    bool waited = s->conn.events & EPOLLOUT; // there was no room for what it was sent before
    return waited && reader_queue(s) > (uint64_t)s->service->settings.queue;
}

bool reader_is_cut(const struct session *s)
{
    return s->cuts != s->service->cuts;
}

void reader_sleep(struct session *s)
{
    int64_t tick_ns = s->service->tick_ns;
    session_wake_at(s, s->due_ns < tick_ns ? s->due_ns : tick_ns);
}

void readers_wake(struct service *service)
{
    for (struct session *s = service->readers; s; s = s->next)
        // One that has output waiting looks when the kernel has room again.
        if (!s->conn.out && !s->conn.closing)
            conn_deadline(&s->conn, 0);
}

uint64_t reader_publish(struct session *publisher, struct feed *feed, struct http_text name,
                        struct http_text data, const struct session *author)
{
    struct service *service = publisher->service;
    uint64_t id = feed_publish(feed, name, data, author);
    if (id)
        readers_wake(service);
    publisher->published_ns = conn_now(&publisher->conn);
    if (service->round_ns != publisher->published_ns)
        service->round_events = 0;
    service->round_ns = publisher->published_ns;
    service->round_events++;
    return id;
}

// ---- whose turn it is ----------------------------------------------------------------------

// Half of what a reader may be behind before it loses events.
static uint64_t half(const struct service *service)
{
    uint64_t queue = (uint64_t)service->settings.queue, ring = service->news.size;
    return (queue < ring ? queue : ring) / 2;
}

// True for a reader that reads, but more slowly than events are published.
static bool is_lagging(const struct session *reader)
{
    const struct service *service = reader->service;
    const struct conn *conn = &reader->conn;
    int64_t idle_ns = conn_now(conn) - conn->sent_ns;
    if (!conn->out || idle_ns > MOVING_MS * INT64_C(1000000))
        return false;
    if (reader->technique != WEBSOCKET)
        return reader_queue(reader) > half(service);
    if (reader->ws.echo)
        return false;
    return reader_queue(reader) > half(service) ||
           service->room.newest > reader->ws.heard + service->room.size / 2;
}

static bool any_is_lagging(const struct service *service)
{
    for (const struct session *reader = service->readers; reader; reader = reader->next)
        if (is_lagging(reader))
            return true;
    return false;
}

bool reader_turn_is_over(const struct session *publisher)
{
    const struct service *service = publisher->service;
    uint64_t most = half(service) < TURN_EVENTS ? half(service) : TURN_EVENTS;
    if (publisher->published_ns != conn_now(&publisher->conn))
        return false;
    return service->round_events >= most || any_is_lagging(service);
}

bool reader_may_publish(const struct session *publisher)
{
    return publisher->published_ns != conn_now(&publisher->conn) &&
           !any_is_lagging(publisher->service);
}

void reader_pause(struct session *publisher)
{
    publisher->conn.paused = true; // what it has sent waits in the kernel, and then at its end
    conn_deadline(&publisher->conn, TURN_MS);
}

// ---- the feed's own events -----------------------------------------------------------------

// One event of the feed's own, with the moment at which it happened, as everybody's clock
// shows it.
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

void readers_tick(struct service *service, int64_t at_ns)
{
    if (service->tick_ns > at_ns)
        return;
    int64_t step_ns = (int64_t)(1e9 / service->settings.rate);
    // If nobody has looked for long: more than the ring holds need not be made.
    int64_t most_ns = step_ns * (service->news.size / service->settings.burst + 1);
    if (at_ns - service->tick_ns > most_ns)
        service->tick_ns = at_ns - most_ns;
    for (; service->tick_ns <= at_ns; service->tick_ns += step_ns) {
        service->ticks++;
        for (int i = 1; i <= service->settings.burst; i++)
            make_event(service, at_ns - service->tick_ns, i);
    }
    readers_wake(service);
}
