// events.c: see events.h.
#include "events.h"

#include "reader.h"
#include "story.h"

// A comment: no event, but something for the proxies and the firewalls between, which forget
// connections that are silent (HTML standard §9.2.7).
static const char heartbeat[] = ":\n\n";

static size_t received(struct session *s, const char *bytes, size_t length)
{
    (void)s, (void)bytes;
    return length; // the client has said all that it can say
}

static bool produce(struct session *s)
{
    int64_t now = conn_now(&s->conn);
    if (reader_is_cut(s)) {
        conn_close(&s->conn);
        return false;
    }
    if (reader_is_too_slow(s)) {
        story_event("an SSE reader is %llu events behind: closed",
                    (unsigned long long)reader_queue(s));
        s->service->dropped_slow++;
        conn_close(&s->conn); // it may come back, and go on where it was
        return false;
    }
    bool any = reader_catch_up(s, &s->service->news, &s->seen, FEED_SSE);
    if (!any && now >= s->due_ns) {
        session_send_from(s, (struct http_text){heartbeat, sizeof heartbeat - 1}, NULL);
        any = session_send(s);
    }
    if (any)
        s->due_ns = now + s->service->settings.heartbeat_ms * INT64_C(1000000);
    reader_sleep(s);
    return any;
}

static void stop(struct session *s)
{
    conn_close(&s->conn);
}

void answer_events(struct session *s, const struct request *request)
{
    static const struct mode mode = {received, produce, NULL, stop};
    struct http_text since = http_parameter(request->query, "since");
    struct http_text last = http_field(request->head, "last-event-id");
    // No length and no chunks: this answer ends with the connection (RFC 9112 §6.3), so an
    // event's bytes are the same for every reader.
    session_head(s, 200, "text/event-stream", TO_CLOSE, "Cache-Control: no-store\r\n");
    uint64_t seen = reader_position(s, last.length ? last : since);
    struct http_out out = session_out(s);
    http_put_text(&out, "retry: ");
    http_put_number(&out, (uint64_t)s->service->settings.retry_ms, 10);
    if (!feed_has_moved_on(&s->service->news, seen)) {
        // No event, but EventSource keeps the id: a client that is cut off before its first
        // event knows where it stood.
        http_put_text(&out, "\nid: ");
        http_put_number(&out, seen, 10);
    }
    http_put_text(&out, "\n\n");
    session_wrote(s, out.length);
    reader_join(s, seen);
    s->due_ns = conn_now(&s->conn) + s->service->settings.heartbeat_ms * INT64_C(1000000);
    s->mode = &mode;
}
