// sse.c: see sse.h.
#include "sse.h"

#include "subscriber.h"
#include "log.h"

// A comment, which is no event. Proxies and firewalls forget a connection that is silent for
// long; a comment keeps it open (HTML standard §9.2.7).
static const char heartbeat[] = ":\n\n";

static size_t received(struct connection *c, const char *bytes, size_t length)
{
    (void)c, (void)bytes;
    return length; // nothing can follow this request: the bytes are thrown away
}

static bool produce(struct connection *c)
{
    int64_t now = conn_now(&c->conn);
    if (subscriber_is_cut(c)) {
        conn_close(&c->conn);
        return false;
    }
    if (subscriber_is_too_slow(c)) {
        log_line("an SSE subscriber is %llu events behind: closed",
                 (unsigned long long)subscriber_queue(c));
        c->service->dropped_slow++;
        conn_close(&c->conn); // the client may connect again and go on where it was
        return false;
    }
    bool any = subscriber_catch_up(c, &c->service->news, &c->seen, FEED_SSE);
    if (!any && now >= c->due_ns) {
        connection_send_from(c, (struct http_text){heartbeat, sizeof heartbeat - 1}, NULL);
        any = connection_send(c);
    }
    if (any)
        c->due_ns = now + c->service->settings.heartbeat_ms * INT64_C(1000000);
    subscriber_sleep(c);
    return any;
}

static void stop(struct connection *c)
{
    conn_close(&c->conn);
}

void answer_events(struct connection *c, const struct http_request *request)
{
    static const struct mode mode = {received, produce, NULL, stop};
    struct http_text last = http_field(&request->head, "last-event-id");
    if (!last.length)
        last = http_parameter(request->query, "since");
    // No length and no chunks: this answer ends with the connection (RFC 9112 §6.3), so an
    // event's bytes are the same for every subscriber.
    connection_head(c, 200, "text/event-stream", TO_CLOSE, NO_DELAY);
    uint64_t seen = subscriber_position(c, last);
    struct http_out out = connection_out(c);
    http_put_text(&out, "retry: ");
    http_put_number(&out, (uint64_t)c->service->settings.retry_ms, 10);
    if (!feed_has_moved_on(&c->service->news, seen)) {
        // An id without data is no event, but EventSource keeps it. So a client that is cut off
        // before its first event still knows where it stood.
        http_put_text(&out, "\nid: ");
        http_put_number(&out, seen, 10);
    }
    http_put_text(&out, "\n\n");
    connection_wrote(c, out.length);
    subscriber_join(c, seen);
    c->due_ns = conn_now(&c->conn) + c->service->settings.heartbeat_ms * INT64_C(1000000);
    c->mode = &mode;
}
