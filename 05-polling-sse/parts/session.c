// session.c: see session.h.
#include "session.h"

#include <string.h>

#include "exchange.h"
#include "story.h"

struct http_out session_out(struct session *s)
{
    return (struct http_out){conn_space(&s->conn), conn_room(&s->conn), 0, false};
}

void session_wrote(struct session *s, size_t length)
{
    s->service->traffic[s->technique].bytes_out += length;
    conn_wrote(&s->conn, length);
}

void session_use(struct session *s, enum technique technique)
{
    s->service->traffic[s->technique].clients--;
    s->technique = (uint8_t)technique;
    s->service->traffic[s->technique].clients++;
}

void session_wake_at(struct session *s, int64_t at_ns)
{
    int64_t left_ns = at_ns - conn_now(&s->conn);
    conn_deadline(&s->conn, left_ns > 0 ? (left_ns + 999999) / 1000000 : 0);
}

// ---- answers -------------------------------------------------------------------------------

void session_head(struct session *s, int status, const char *type, int64_t length,
                  const char *fields)
{
    struct http_out out = session_out(s);
    if (length == TO_CLOSE || (length == CHUNKED && s->minor == 0))
        s->keep_alive = false;
    http_put_status(&out, status);
    if (type)
        http_put_field(&out, "Content-Type", type);
    if (length >= 0 && type)
        http_put_length(&out, (uint64_t)length);
    else if (length == CHUNKED && s->minor > 0)
        http_put_text(&out, "Transfer-Encoding: chunked\r\n");
    http_put_text(&out, fields);
    if (!s->keep_alive)
        http_put_text(&out, "Connection: close\r\n");
    else if (s->minor == 0)
        http_put_text(&out, "Connection: keep-alive\r\n");
    http_put_text(&out, "\r\n");
    session_wrote(s, out.length);
}

void session_answer(struct session *s, int status, const char *type, struct http_text text,
                    const char *fields)
{
    session_head(s, status, type, (int64_t)text.length, fields);
    if (s->head_only)
        text.length = 0;
    session_send_from(s, text, NULL);
    session_send(s);
    session_finish(s);
}

void session_refuse(struct session *s, int status, const char *fields)
{
    char text[64];
    struct http_out out = {text, sizeof text, 0, false};
    story_event("refused: %d %s", status, http_reason(status));
    http_put_text(&out, http_reason(status));
    http_put_text(&out, "\n");
    session_answer(s, status, "text/plain", (struct http_text){text, out.length}, fields);
}

void session_send_from(struct session *s, struct http_text text, struct event *event)
{
    s->content = (struct content){text.at, text.length, event};
}

bool session_send(struct session *s)
{
    struct content *content = &s->content;
    size_t room = conn_room(&s->conn);
    size_t part = content->left < room ? content->left : room;
    if (part)
        memcpy(conn_space(&s->conn), content->at, part);
    session_wrote(s, part);
    content->at += part;
    content->left -= part;
    if (!content->left && content->event) {
        event_release(content->event);
        content->event = NULL;
    }
    return part > 0;
}

void session_finish(struct session *s)
{
    exchange_begin(s); // also where the request was held: its mode knows nothing of a rest
    if (!s->content.left)
        session_end_exchange(s);
}

void session_end_exchange(struct session *s)
{
    buffer_free(&s->kept);
    exchange_begin(s);
    if (!s->keep_alive)
        conn_close(&s->conn);
}

void session_closed(struct session *s)
{
    buffer_free(&s->kept);
    if (s->content.event)
        event_release(s->content.event);
    s->service->traffic[s->technique].clients--;
}

// ---- the query -----------------------------------------------------------------------------

bool query_number(struct http_text query, const char *name, uint64_t max, uint64_t *value)
{
    struct http_text text = http_parameter(query, name);
    return !text.at || http_number(text, max, value);
}
