// poll.c: see poll.h.
#include "poll.h"

#include <stdio.h>

#include "reader.h"

#define BATCH 1000 // events of one answer; and no more than there is room for

// Answers with what came after `seen`: as many events as find room, at least one if there is
// any. The client asks again, with the last one's id.
static void answer_with_news(struct session *s, uint64_t seen)
{
    static struct event *batch[BATCH];
    size_t count = 0, length = 0, room = conn_room(&s->conn) - ANSWER_ROOM / 2;
    struct event *event;
    while (count < BATCH && (event = feed_next(&s->service->news, seen))) {
        size_t line = event_text(event, FEED_LINE).length;
        if (count && length + line > room) {
            event_release(event);
            break;
        }
        length += line;
        seen = event->id;
        batch[count++] = event;
    }
    session_head(s, 200, "application/x-ndjson", (int64_t)length,
                 "Cache-Control: no-store\r\n");
    s->service->traffic[s->technique].events += count;
    for (size_t i = 0; i < count; i++) { // only one that is alone may not fit
        struct http_text line = event_text(batch[i], FEED_LINE);
        line.length = s->head_only ? 0 : line.length;
        session_send_from(s, line, batch[i]);
        session_send(s);
    }
    session_finish(s);
}

void answer_poll(struct session *s, const struct request *request)
{
    uint64_t seen = s->service->news.oldest - 1; // a client that does not say gets all there is
    if (!reader_has_seen(s, request, &seen))
        session_refuse(s, 400, "");
    else
        answer_with_news(s, seen);
}

// ---- GET /wait -----------------------------------------------------------------------------

static void leave(struct session *s, bool with_news)
{
    reader_leave(s);
    if (with_news) {
        answer_with_news(s, s->seen);
    } else {
        // A client that did not say where it stands has to know for its next request.
        char position[60];
        snprintf(position, sizeof position, "Feed-Position: %llu\r\n",
                 (unsigned long long)s->seen);
        session_head(s, 204, NULL, 0, position);
        session_end_exchange(s);
    }
}

static void timeout(struct session *s)
{
    if (reader_is_cut(s))
        conn_close(&s->conn);
    else if (s->seen != s->service->news.newest)
        leave(s, true);
    else if (conn_now(&s->conn) >= s->due_ns)
        leave(s, false);
    else
        reader_sleep(s);
}

static void stop(struct session *s)
{
    s->keep_alive = false;
    leave(s, false);
}

void answer_wait(struct session *s, const struct request *request)
{
    static const struct mode mode = {NULL, NULL, timeout, stop};
    uint64_t timeout_ms = WAIT_MS, seen = s->service->news.newest;
    if (!reader_has_seen(s, request, &seen) ||
        !query_number(request->query, "timeout", WAIT_MAX_MS, &timeout_ms)) {
        session_refuse(s, 400, "");
    } else if (seen != s->service->news.newest) {
        answer_with_news(s, seen);
    } else {
        reader_join(s, seen);
        s->due_ns = conn_now(&s->conn) + (int64_t)timeout_ms * 1000000;
        s->mode = &mode;
        reader_sleep(s);
    }
}
