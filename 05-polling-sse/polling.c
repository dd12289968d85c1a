// polling.c: see polling.h.
#include "polling.h"

#include <stdio.h>

#include "log.h"
#include "subscriber.h"

#define BATCH 1000 // the most events in one answer

// Answers with the events that came after `seen`: as many as there is room for, but at least
// one if there is any. The client gets the others with its next request, which names the last
// id.
static void answer_with_news(struct connection *c, uint64_t seen)
{
    static struct event *batch[BATCH];
    size_t count = 0, length = 0, room = conn_room(&c->conn) - ANSWER_ROOM / 2;
    struct event *event;
    while (count < BATCH && (event = feed_next(&c->service->news, seen))) {
        size_t line = event_text(event, FEED_LINE).length;
        if (count && length + line > room) {
            event_release(event);
            break;
        }
        length += line;
        seen = event->id;
        batch[count++] = event;
    }
    connection_head(c, 200, "application/x-ndjson", (int64_t)length, NO_STORE);
    c->service->traffic[c->technique].events += count;
    for (size_t i = 0; i < count; i++) { // all fit; only an event that is alone may be larger
        struct http_text line = event_text(batch[i], FEED_LINE);
        if (c->http.head_only)
            line.length = 0;
        connection_send_from(c, line, batch[i]);
        connection_send(c);
    }
    connection_finish(c);
}

void answer_poll(struct connection *c, const struct http_request *request)
{
    uint64_t seen = c->service->news.oldest - 1; // without since= the client gets all events
    if (!subscriber_has_seen(c, request, &seen))
        connection_refuse(c, 400, "since= is not the id of an event", "");
    else
        answer_with_news(c, seen);
}

// ---- GET /wait -----------------------------------------------------------------------------

static void leave(struct connection *c, bool with_news)
{
    subscriber_leave(c);
    if (with_news) {
        answer_with_news(c, c->seen);
    } else {
        // A client that has not sent since= needs an id for its next request.
        char position[100];
        snprintf(position, sizeof position, NO_STORE "Feed-Position: %llu\r\n",
                 (unsigned long long)c->seen);
        connection_head(c, 204, NULL, 0, position);
        connection_end_exchange(c);
    }
}

static void timeout(struct connection *c)
{
    if (subscriber_is_cut(c))
        conn_close(&c->conn);
    else if (c->seen != c->service->news.newest)
        leave(c, true);
    else if (conn_now(&c->conn) >= c->due_ns)
        leave(c, false);
    else
        subscriber_sleep(c);
}

static void stop(struct connection *c)
{
    c->http.keep_alive = false;
    leave(c, false);
}

void answer_wait(struct connection *c, const struct http_request *request)
{
    static const struct mode mode = {NULL, NULL, timeout, stop};
    uint64_t timeout_ms = WAIT_MS, seen = c->service->news.newest;
    if (!subscriber_has_seen(c, request, &seen) ||
        !query_number(request->query, "timeout", WAIT_MAX_MS, &timeout_ms)) {
        connection_refuse(c, 400, "since= or timeout= is no number, or timeout= is above 60000",
                          "");
    } else if (seen != c->service->news.newest) {
        answer_with_news(c, seen);
    } else {
        subscriber_join(c, seen);
        log_line("%s: held", c->request);
        c->due_ns = conn_now(&c->conn) + (int64_t)timeout_ms * 1000000;
        c->mode = &mode;
        subscriber_sleep(c);
    }
}
