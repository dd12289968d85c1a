// exchange.c: see exchange.h. Read received() first, then take_head(), where a request finds
// its route. Heads and content are read in ../common/http.c and body.c (lesson 02).
#include "exchange.h"

#include <stdio.h>
#include <string.h>

#include "handshake.h"
#include "publisher.h"
#include "log.h"

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
static int check(struct connection *c, const struct http_head *head, const struct route *route)
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
    if (guarded && !handshake_origin_is_allowed(head, c->service->settings.origins))
        return 403;
    return 0;
}

static void refuse(struct connection *c, const struct route *route, int status)
{
    char fields[40] = "";
    const char *why = "there is no such path here";
    if (status == 403)
        why = "a page of another origin may not do this";
    else if (status == 413)
        why = "content may have 65536 bytes";
    else if (status == 400)
        why = "a request with this method has no content here";
    if (status == 405) {
        bool quick = takes(route, (struct http_text){"HEAD", 4});
        why = "this path takes another method";
        snprintf(fields, sizeof fields, "Allow: %s\r\n", quick ? "GET, HEAD" : route->method);
    }
    connection_refuse(c, status, why, fields);
}

// A whole head is here.
static void take_head(struct connection *c, const struct http_head *head)
{
    struct request request = {.head = head, .content = {"", 0}};
    struct http_text accept = http_field(head, "accept");
    http_split_target(head->target, &request.path, &request.query);
    const struct route *route = find_route(c->service->routes, request.path);
    c->keep_alive = head->keep_alive && !c->conn.told_to_stop;
    c->head_only = http_is(head->method, "HEAD");
    c->minor = (uint8_t)head->minor;
    request.wants_events =
        accept.at && memmem(accept.at, accept.length, "text/event-stream", 17);
    connection_use(c, route ? route->technique : OTHER);
    c->service->traffic[c->technique].requests++;
    c->service->traffic[c->technique].bytes_in += head->length;
    log_line("%.*s %.*s", (int)head->method.length, head->method.at, (int)head->target.length,
             head->target.at);
    int status = check(c, head, route);
    if (status) {
        c->keep_alive = c->keep_alive && !has_content(head);
        refuse(c, route, status);
    } else if (!has_content(head)) {
        route->answer(c, &request);
    } else {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (!c->http.head_began)
            conn_deadline(&c->conn, REQUEST_MS);
        c->http.route = route;
        c->http.in_content = true;
        c->wants_events = request.wants_events;
        c->http.target_length = (uint32_t)head->target.length;
        http_body_of_request(&c->http.body, head);
        if (!buffer_add(&c->kept, head->target.at, head->target.length)) {
            c->keep_alive = false;
            connection_refuse(c, 503, "no memory for the content", "");
        } else if (head->expects_continue) {
            memcpy(conn_space(&c->conn), go_on, sizeof go_on - 1);
            connection_wrote(c, sizeof go_on - 1);
        }
    }
}

static void end_content(struct connection *c)
{
    struct request request = {.wants_events = c->wants_events};
    struct buffer kept = c->kept; // the next mode may want the place
    c->kept = (struct buffer){0};
    http_split_target((struct http_text){kept.bytes, c->http.target_length}, &request.path,
                      &request.query);
    request.content = (struct http_text){kept.bytes + c->http.target_length,
                                         kept.length - c->http.target_length};
    c->http.in_content = false;
    c->http.route->answer(c, &request);
    buffer_free(&kept);
}

// Uses content that has come; returns how many bytes.
static size_t take_content(struct connection *c, const char *bytes, size_t length)
{
    struct http_text content;
    ssize_t used = http_body_take(&c->http.body, bytes, length, &content);
    const char *why = c->http.body.why;
    int status = used < 0 ? (int)-used : 0;
    if (!status && c->kept.length - c->http.target_length + content.length > CONTENT_MAX) {
        status = 413;
        why = "content may have 65536 bytes";
    }
    if (!status && !buffer_add(&c->kept, content.at, content.length)) {
        status = 503;
        why = "no memory for the content";
    }
    if (status) {
        c->keep_alive = false; // where the next request begins is not known
        connection_refuse(c, status, why, "");
        return length;
    }
    c->service->traffic[c->technique].bytes_in += (size_t)used;
    if (c->http.body.done)
        end_content(c);
    return (size_t)used;
}

// Reads a head, if it is whole, and has it answered; returns how many bytes it has.
static size_t read_head(struct connection *c, const char *bytes, size_t length)
{
    static struct http_head head;
    int result = http_read_request(bytes, length, &head);
    // Also what is refused, or never comes whole, may be a HEAD: its answer has no content.
    c->head_only = length >= 5 && !memcmp(bytes, "HEAD ", 5);
    if (result > 0) {
        take_head(c, &head);
        return head.length;
    }
    if (result < 0) {
        c->keep_alive = false;
        connection_refuse(c, -result, head.why, "");
    } else if (!c->http.head_began) {
        c->http.head_began = true;
        conn_deadline(&c->conn, REQUEST_MS);
    }
    return 0;
}

static size_t received(struct connection *c, const char *bytes, size_t length)
{
    const struct mode *mode = c->mode;
    size_t used = 0, part = 1;
    while (part && used < length && c->mode == mode && !c->content.left && !c->conn.closing &&
           !c->conn.paused && conn_room(&c->conn) >= ANSWER_ROOM) {
        if (c->http.in_content)
            part = take_content(c, bytes + used, length - used);
        else
            part = read_head(c, bytes + used, length - used);
        used += part;
        if (c->mode == mode && publisher_turn_is_over(c))
            publisher_pause(c);
    }
    // Another mode knows better what the rest is.
    if (c->mode != mode && c->mode->received && used < length)
        used += c->mode->received(c, bytes + used, length - used);
    return used;
}

static bool produce(struct connection *c)
{
    bool moved = connection_send(c);
    if (moved && !c->content.left)
        connection_end_exchange(c);
    return moved;
}

static void timeout(struct connection *c)
{
    if (c->conn.paused) {
        if (publisher_may_publish(c))
            exchange_begin(c);
        else
            publisher_pause(c);
        return;
    }
    if (!c->http.head_began && !c->http.in_content) {
        conn_close(&c->conn);
        return;
    }
    c->keep_alive = false;
    connection_refuse(c, 408, "the request did not come in 10 seconds", "");
}

static void stop(struct connection *c)
{
    c->keep_alive = false;
    if (!c->http.head_began && !c->http.in_content && !c->content.left)
        conn_close(&c->conn);
}

void exchange_begin(struct connection *c)
{
    static const struct mode mode = {received, produce, timeout, stop};
    c->mode = &mode;
    c->conn.paused = false;
    c->http.head_began = c->http.in_content = false;
    conn_deadline(&c->conn, IDLE_MS);
}
