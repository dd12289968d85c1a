// connection.c: see connection.h.
#include "connection.h"

#include <stdio.h>
#include <string.h>

#include "content_limit.h"
#include "exchange.h"
#include "log.h"

#define REFUSAL_BYTES 300 // the longest text of a refusal

struct http_out connection_out(struct connection *c)
{
    return (struct http_out){conn_space(&c->conn), conn_room(&c->conn), 0, false};
}

void connection_wrote(struct connection *c, size_t length)
{
    c->service->traffic[c->technique].bytes_out += length;
    conn_wrote(&c->conn, length);
}

void connection_use(struct connection *c, enum technique technique)
{
    c->service->traffic[c->technique].clients--;
    c->technique = (uint8_t)technique;
    c->service->traffic[c->technique].clients++;
}

void connection_wake_at(struct connection *c, int64_t at_ns)
{
    int64_t left_ns = at_ns - conn_now(&c->conn), left_ms = 0;
    if (left_ns > 0)
        left_ms = (left_ns + 999999) / 1000000;
    conn_deadline(&c->conn, left_ms);
}

// ---- answers -------------------------------------------------------------------------------

// Says in the log what is answered, and `why`, if that is not "".
static void log_answer(const struct connection *c, int status, int64_t length, const char *why)
{
    const char *request = c->request, *colon = "";
    if (!*request)
        request = "a request"; // its first line has not come, or is malformed
    if (*why)
        colon = ": ";
    if (length < 0)
        log_line("%s: %d, a stream", request, status);
    else
        log_line("%s: %d, %lld bytes%s%s", request, status, (long long)length, colon, why);
}

static void write_head(struct connection *c, int status, const char *type, int64_t length,
                       const char *fields)
{
    struct http_out out = connection_out(c);
    bool chunked = length == CHUNKED && !c->http.http10;
    if (length < 0 && !chunked)
        c->http.keep_alive = false; // the end of the connection is the end of the answer
    http_server_head(&c->http, &out, status, length);
    if (type)
        http_put_field(&out, "Content-Type", type);
    if (chunked)
        http_put_field(&out, "Transfer-Encoding", "chunked");
    http_put_text(&out, fields);
    http_put_text(&out, "\r\n");
    connection_wrote(c, out.length);
}

static void write_content(struct connection *c, struct http_text text)
{
    if (c->http.head_only)
        text.length = 0;
    connection_send_from(c, text, NULL);
    connection_send(c);
    connection_finish(c);
}

void connection_head(struct connection *c, int status, const char *type, int64_t length,
                     const char *fields)
{
    log_answer(c, status, length, "");
    write_head(c, status, type, length, fields);
}

void connection_answer(struct connection *c, int status, const char *type,
                       struct http_text text, const char *fields)
{
    connection_head(c, status, type, (int64_t)text.length, fields);
    write_content(c, text);
}

void connection_refuse(struct connection *c, int status, const char *why, const char *fields)
{
    char text[REFUSAL_BYTES];
    int length = snprintf(text, sizeof text, "%s: %s\n", http_reason(status), why);
    log_answer(c, status, length, why);
    write_head(c, status, "text/plain", length, fields);
    write_content(c, (struct http_text){text, (size_t)length});
}

void connection_send_from(struct connection *c, struct http_text text, struct event *event)
{
    c->content = (struct content){text.at, text.length, event};
}

bool connection_send(struct connection *c)
{
    struct content *content = &c->content;
    size_t part = conn_room(&c->conn);
    if (part > content->left)
        part = content->left;
    if (part) { // else the content may be none, at NULL
        memcpy(conn_space(&c->conn), content->at, part);
        content->at += part;
    }
    connection_wrote(c, part);
    content->left -= part;
    if (!content->left && content->event) {
        event_release(content->event);
        content->event = NULL;
    }
    return part > 0;
}

void connection_finish(struct connection *c)
{
    exchange_begin(c); // this mode sends the rest of the answer
    if (!c->content.left)
        connection_end_exchange(c);
}

void connection_end_exchange(struct connection *c)
{
    buffer_free(&c->kept);
    c->request[0] = '\0';
    exchange_begin(c);
    if (!c->http.keep_alive)
        conn_close(&c->conn);
}

void connection_closed(struct connection *c)
{
    content_limit_leave(c);
    http_server_done(&c->http);
    buffer_free(&c->kept);
    if (c->content.event)
        event_release(c->content.event);
    c->service->traffic[c->technique].clients--;
}

// ---- the query -----------------------------------------------------------------------------

bool query_number(struct http_text query, const char *name, uint64_t max, uint64_t *value)
{
    struct http_text text = http_parameter(query, name);
    return !text.at || http_number(text, max, value);
}
