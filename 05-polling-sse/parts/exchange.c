// exchange.c: see exchange.h. Read received() first, then take_request(). Requests are read in
// ../common/http_server.c; how that is done is lesson 02.
#include "exchange.h"

#include <stdio.h>
#include <string.h>

#include "content_limit.h"
#include "handshake.h"
#include "publisher.h"

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

// HEAD is GET without its content. A route whose answer takes time does not take HEAD.
static bool takes(const struct route *route, struct http_text method)
{
    bool quick = !strcmp(route->method, "GET") && route->technique <= POLL;
    return http_is(method, route->method) || (quick && http_is(method, "HEAD"));
}

static const struct route *find_route(const struct route *route, struct http_text path)
{
    for (; route->path; route++)
        if (http_is(path, route->path) || is_under(path, route->path))
            return route;
    return NULL;
}

// Called when a request's head is here. Finds its route. Returns the status that refuses the
// request, or 0.
static int check(void *context, const struct http_head *head)
{
    struct connection *c = context;
    struct http_text path, query;
    bool post = http_is(head->method, "POST");
    http_split_target(head->target, &path, &query);
    c->route = find_route(c->service->routes, path);
    enum technique technique = OTHER;
    if (c->route)
        technique = c->route->technique;
    connection_use(c, technique);
    c->service->traffic[c->technique].requests++;
    snprintf(c->request, sizeof c->request, "%.*s %.*s", (int)head->method.length,
             head->method.at, (int)head->target.length, head->target.at);
    if (!c->route)
        return 404;
    if (!takes(c->route, head->method))
        return 405;
    if (!post && has_content(head))
        return 400;
    // A page of another site must not change anything here, nor open a WebSocket.
    bool guarded = post || c->route->technique == WEBSOCKET;
    if (guarded && !handshake_origin_is_allowed(head, c->service->settings.origins))
        return 403;
    return 0;
}

// Refuses a request, and says why. `why` is the parser's reason, or NULL.
static void refuse(struct connection *c, int status, const char *why)
{
    char fields[40] = "";
    if (status == 403)
        why = "a page of another origin may not do this";
    else if (status == 404)
        why = "there is no such path here";
    else if (status == 413)
        why = "a request's content may have at most 65536 bytes";
    else if (status == 503)
        why = "no memory for the content";
    if (status == 405) {
        const char *allowed = c->route->method;
        if (takes(c->route, (struct http_text){"HEAD", 4}))
            allowed = "GET, HEAD";
        why = "this path takes another method";
        snprintf(fields, sizeof fields, "Allow: %s\r\n", allowed);
    }
    if (!why)
        why = "a request with this method has no content here";
    connection_refuse(c, status, why, fields);
}

// Takes the next request, or as much of it as is here, and has it answered. Returns how many
// bytes that was.
static size_t take_request(struct connection *c, const char *bytes, size_t length)
{
    static struct http_request request;
    bool began = c->http.began;
    struct http_out out = connection_out(c);
    size_t used = http_server_take(&c->http, bytes, length, &request, &out);
    connection_wrote(c, out.length);
    c->service->traffic[c->technique].bytes_in += used;
    if (request.status == HTTP_WHOLE)
        c->route->answer(c, &request);
    else if (request.status > 0)
        refuse(c, request.status, c->http.why);
    else if (c->http.began && !began)
        conn_deadline(&c->conn, REQUEST_MS);
    if (request.status != HTTP_MORE)
        http_server_done(&c->http);
    content_limit_update(c);
    return used;
}

static size_t received(struct connection *c, const char *bytes, size_t length)
{
    const struct mode *mode = c->mode;
    size_t used = 0, part = 1;
    if (c->evicted)
        return length; // the rest of a request that timeout() is about to refuse
    while (part && used < length && c->mode == mode && !c->content.left && !c->conn.closing &&
           !c->conn.paused && conn_room(&c->conn) >= ANSWER_ROOM) {
        part = take_request(c, bytes + used, length - used);
        used += part;
        if (c->mode == mode && publisher_turn_is_over(c))
            publisher_pause(c);
    }
    // The request has changed the mode: the rest of the bytes is for the new mode.
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
    if (c->evicted) {
        c->evicted = false;
        c->http.keep_alive = false;
        connection_refuse(c, 503, "other requests need the memory, and this one came slowly",
                          "");
        return;
    }
    if (c->conn.paused) {
        if (publisher_may_publish(c))
            exchange_begin(c);
        else
            publisher_pause(c);
        return;
    }
    if (!c->http.began) {
        conn_close(&c->conn);
        return;
    }
    c->http.keep_alive = false;
    connection_refuse(c, 408, "the request did not come in 10 seconds", "");
}

static void stop(struct connection *c)
{
    c->http.stopping = true;
    c->http.keep_alive = false;
    if (!c->http.began && !c->content.left)
        conn_close(&c->conn);
}

void exchange_open(struct connection *c)
{
    c->http = (struct http_server){.content_max = CONTENT_MAX, .check = check, .context = c};
    exchange_begin(c);
}

void exchange_begin(struct connection *c)
{
    static const struct mode mode = {received, produce, timeout, stop};
    c->mode = &mode;
    c->conn.paused = false;
    conn_deadline(&c->conn, IDLE_MS);
}
