// exchange.c: see exchange.h. Read received() first, then take_head(), where a request finds
// its route. Heads and content are read in ../common/http.c and body.c (lesson 02).
#include "exchange.h"

#include <stdio.h>
#include <string.h>

#include "handshake.h"
#include "reader.h"
#include "story.h"

static bool has_content(const struct http_head *head)
{
    return head->chunked || head->content_length > 0;
}

static bool is_under(struct http_text path, const char *route)
{
    size_t length = strlen(route);
    return length > 1 && route[length - 1] == '/' && path.length > length &&
           !memcmp(path.at, route, length);
}

// HEAD is GET without its content; of an answer that takes time there is none.
static bool takes(const struct route *route, struct http_text method)
{
    bool quick = !strcmp(route->method, "GET") && route->technique <= POLL;
    return http_is(method, route->method) || (quick && http_is(method, "HEAD"));
}

static const struct route *find_route(const struct route *route, struct http_text path)
{
    while (route->path && !http_is(path, route->path) && !is_under(path, route->path))
        route++;
    return route->path ? route : NULL;
}

// Why a request is refused before its content is read; 0: it is not.
static int check(struct session *s, const struct http_head *head, const struct route *route)
{
    bool post = http_is(head->method, "POST");
    if (!route)
        return 404;
    if (!takes(route, head->method))
        return 405;
    if (!post && has_content(head))
        return 400;
    if (head->content_length > CONTENT_MAX)
        return 413;
    // What changes something, a foreign page may not ask for.
    bool guarded = post || route->technique == WEBSOCKET;
    if (guarded && !handshake_origin_is_allowed(head, s->service->settings.origins))
        return 403;
    return 0;
}

static void refuse(struct session *s, const struct route *route, int status)
{
    char fields[40] = "";
    if (status == 405)
        snprintf(fields, sizeof fields, "Allow: %s\r\n",
                 takes(route, (struct http_text){"HEAD", 4}) ? "GET, HEAD" : route->method);
    session_refuse(s, status, fields);
}

// A whole head is here.
static void take_head(struct session *s, const struct http_head *head)
{
    struct request request = {.head = head, .content = {"", 0}};
    struct http_text accept = http_field(head, "accept");
    http_split_target(head->target, &request.path, &request.query);
    const struct route *route = find_route(s->service->routes, request.path);
    s->keep_alive = head->keep_alive && !s->conn.told_to_stop;
    s->head_only = http_is(head->method, "HEAD");
    s->minor = (uint8_t)head->minor;
    request.wants_events =
        accept.at && memmem(accept.at, accept.length, "text/event-stream", 17);
    session_use(s, route ? route->technique : OTHER);
    s->service->traffic[s->technique].requests++;
    s->service->traffic[s->technique].bytes_in += head->length;
    story_event("%.*s %.*s", (int)head->method.length, head->method.at,
                (int)head->target.length, head->target.at);
    int status = check(s, head, route);
    if (status) {
        s->keep_alive = s->keep_alive && !has_content(head);
        refuse(s, route, status);
    } else if (!has_content(head)) {
        route->answer(s, &request);
    } else {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (!s->http.head_began)
            conn_deadline(&s->conn, REQUEST_MS);
        s->http.route = route;
        s->http.in_content = true;
        s->wants_events = request.wants_events;
        s->http.target_length = (uint32_t)head->target.length;
        http_body_of_request(&s->http.body, head);
        if (!buffer_add(&s->kept, head->target.at, head->target.length)) {
            s->keep_alive = false;
            session_refuse(s, 503, "");
        } else if (head->expects_continue) {
            memcpy(conn_space(&s->conn), go_on, sizeof go_on - 1);
            session_wrote(s, sizeof go_on - 1);
        }
    }
}

static void end_content(struct session *s)
{
    struct request request = {.wants_events = s->wants_events};
    struct buffer kept = s->kept; // the next mode may want the place
    s->kept = (struct buffer){0};
    http_split_target((struct http_text){kept.bytes, s->http.target_length}, &request.path,
                      &request.query);
    request.content = (struct http_text){kept.bytes + s->http.target_length,
                                         kept.length - s->http.target_length};
    s->http.in_content = false;
    s->http.route->answer(s, &request);
    buffer_free(&kept);
}

// Uses content that has come; returns how many bytes.
static size_t take_content(struct session *s, const char *bytes, size_t length)
{
    struct http_text content;
    ssize_t used = http_body_take(&s->http.body, bytes, length, &content);
    int status = used < 0 ? (int)-used : 0;
    if (!status && s->kept.length - s->http.target_length + content.length > CONTENT_MAX)
        status = 413;
    if (!status && !buffer_add(&s->kept, content.at, content.length))
        status = 503;
    if (status) {
        s->keep_alive = false; // where the next request begins is not known
        session_refuse(s, status, "");
        return length;
    }
    s->service->traffic[s->technique].bytes_in += (size_t)used;
    if (s->http.body.done)
        end_content(s);
    return (size_t)used;
}

// Reads a head, if it is whole, and has it answered; returns how many bytes it has.
static size_t read_head(struct session *s, const char *bytes, size_t length)
{
    static struct http_head head;
    int result = http_read_request(bytes, length, &head);
    if (result > 0) {
        take_head(s, &head);
        return head.length;
    }
    if (result < 0) {
        s->keep_alive = s->head_only = false;
        session_refuse(s, -result, "");
    } else if (!s->http.head_began) {
        s->http.head_began = true;
        conn_deadline(&s->conn, REQUEST_MS);
    }
    return 0;
}

static size_t received(struct session *s, const char *bytes, size_t length)
{
    const struct mode *mode = s->mode;
    size_t used = 0, part = 1;
    while (part && used < length && s->mode == mode && !s->content.left && !s->conn.closing &&
           !s->conn.paused && conn_room(&s->conn) >= ANSWER_ROOM) {
        if (s->http.in_content)
            part = take_content(s, bytes + used, length - used);
        else
            part = read_head(s, bytes + used, length - used);
        used += part;
        if (s->mode == mode && reader_turn_is_over(s))
            reader_pause(s);
    }
    // Another mode knows better what the rest is.
    if (s->mode != mode && s->mode->received && used < length)
        used += s->mode->received(s, bytes + used, length - used);
    return used;
}

static bool produce(struct session *s)
{
    bool moved = session_send(s);
    if (moved && !s->content.left)
        session_end_exchange(s);
    return moved;
}

static void timeout(struct session *s)
{
    if (s->conn.paused) {
        if (reader_may_publish(s))
            exchange_begin(s);
        else
            reader_pause(s);
        return;
    }
    if (!s->http.head_began && !s->http.in_content) {
        conn_close(&s->conn);
        return;
    }
    s->keep_alive = s->head_only = false;
    session_refuse(s, 408, "");
}

static void stop(struct session *s)
{
    s->keep_alive = false;
    if (!s->http.head_began && !s->http.in_content && !s->content.left)
        conn_close(&s->conn);
}

void exchange_begin(struct session *s)
{
    static const struct mode mode = {received, produce, timeout, stop};
    s->mode = &mode;
    s->conn.paused = false;
    s->http.head_began = s->http.in_content = false;
    conn_deadline(&s->conn, IDLE_MS);
}
