// connection.c: see connection.h. Read connection_received() first: a request stays in the
// loop's buffer until it is whole, so that nothing of it has to be kept here.
#include "connection.h"

#include <string.h>

#include "body.h"
#include "problem.h"
#include "log.h"

#define CONTENT_MAX JSON_BYTES // of a request
#define RAW_MAX     32768      // the same in chunks, with their sizes

// ---- answers -------------------------------------------------------------------------------

static void end_exchange(struct connection *c)
{
    c->charge = c->record = NULL;
    c->then = NULL;
    c->began = c->continued = c->head_only = false;
    c->conn.paused = false;
    conn_deadline(&c->conn, c->api->settings.idle_ms);
    if (!c->keep_alive)
        conn_close(&c->conn);
}

void connection_answer(struct connection *c, int status, const char *fields,
                       struct http_text json)
{
    struct http_out out = {conn_space(&c->conn), conn_room(&c->conn), 0, false};
    http_put_status(&out, status);
    if (status != 204) {
        http_put_field(&out, "Content-Type",
                       status < 400 ? "application/json" : "application/problem+json");
        http_put_length(&out, json.length);
    }
    http_put_text(&out, fields);
    if (!c->keep_alive)
        http_put_text(&out, "Connection: close\r\n");
    else if (c->http10)
        http_put_text(&out, "Connection: keep-alive\r\n");
    http_put(&out, "\r\n", 2);
    if (!c->head_only && status != 204)
        http_put(&out, json.at, json.length);
    if (out.overflow) // ANSWER_ROOM is meant to be enough for all of them
        c->conn.broken = true;
    else
        conn_wrote(&c->conn, out.length);
    end_exchange(c);
}

void connection_drop(struct connection *c)
{
    c->keep_alive = false;
    end_exchange(c);
}

void connection_wait(struct connection *c, int64_t ms, void (*then)(struct connection *c))
{
    c->conn.paused = true; // what the client says next has to wait
    c->then = then;
    conn_deadline(&c->conn, ms);
}

bool connection_keep(struct connection *c, struct record *record,
                     void (*then)(struct connection *c))
{
    if (!store_add(&c->api->store, record))
        return false;
    record->waiter = c;
    c->record = record;
    connection_wait(c, NEVER, then);
    return true;
}

void connection_settled(void *waiter, struct record *record)
{
    struct connection *c = waiter;
    c->durable = record->state == DURABLE;
    c->existed = record->existed;
    c->record = NULL;
    if (record == c->charge && !c->durable) // it is about to be freed
        c->charge = NULL;
    conn_deadline(&c->conn, 0);
}

void connection_look_again(struct connection *c)
{
    conn_deadline(&c->conn, 0);
}

// ---- requests ------------------------------------------------------------------------------

static struct http_text behind(struct http_text text, size_t length)
{
    return (struct http_text){text.at + length, text.length - length};
}

static bool matches(const struct route *route, struct http_text path)
{
    size_t length = strlen(route->path);
    if (route->path[length - 1] != '/')
        return http_is(path, route->path);
    return path.length > length && !memcmp(path.at, route->path, length);
}

static void find_answer(struct connection *c, struct request *request)
{
    const struct http_head *head = request->head;
    char allowed[80] = "";
    for (const struct route *route = c->api->routes; route->path; route++) {
        if (!matches(route, request->path))
            continue;
        request->rest = behind(request->path, strlen(route->path));
        if (http_is(head->method, route->method) ||
            (c->head_only && !strcmp(route->method, "GET"))) {
            route->answer(c, request);
            return;
        }
        strcat(allowed, *allowed ? ", " : "Allow: ");
        strcat(allowed, strcmp(route->method, "GET") ? route->method : "GET, HEAD");
    }
    if (!*allowed) {
        problem(c, 404, "", NULL, "There is nothing under this path.");
        return;
    }
    strcat(allowed, "\r\n");
    problem(c, 405, allowed, NULL, "This path does not know this method.");
}

static void answer_request(struct connection *c, const struct http_head *head,
                           struct http_text content)
{
    struct request request = {.head = head, .content = content};
    http_split_target(head->target, &request.path, &request.query);
    c->api->figures.requests++;
    log_line("%.*s %.*s", (int)head->method.length, head->method.at, (int)head->target.length,
             head->target.at);
    find_answer(c, &request);
}

// The content behind a head: as it stands there, or put together out of chunks in `room`.
// Returns how many bytes it takes with the head, 0 if more have to come, and the status to
// refuse it with, negated.
static ssize_t read_content(const struct http_head *head, const char *bytes, size_t length,
                            char *room, struct http_text *content)
{
    struct http_body body;
    size_t used = head->length;
    *content = (struct http_text){head->chunked ? room : bytes + used, 0};
    http_body_of_request(&body, head);
    if (!head->chunked && body.left > CONTENT_MAX)
        return -413;
    for (ssize_t part = 1; !body.done && part > 0 && used < length; used += (size_t)part) {
        struct http_text piece;
        part = http_body_take(&body, bytes + used, length - used, &piece);
        if (part < 0)
            return part;
        if (content->length + piece.length > CONTENT_MAX)
            return -413;
        if (head->chunked)
            memcpy(room + content->length, piece.at, piece.length);
        content->length += piece.length;
    }
    if (!body.done && used - head->length > RAW_MAX)
        return -413;
    return body.done ? (ssize_t)used : 0;
}

// The request at the start of bytes, if it is whole. Returns how many bytes it took.
static size_t take_request(struct connection *c, const char *bytes, size_t length)
{
    static struct http_head head;
    static char room[CONTENT_MAX];
    struct http_text content = {NULL, 0};
    int status = http_read_request(bytes, length, &head);
    ssize_t used = status > 0 ? read_content(&head, bytes, length, room, &content) : status;
    if (status) {
        c->head_only = http_is(head.method, "HEAD");
        c->http10 = head.minor == 0;
        c->keep_alive = used >= 0 && head.keep_alive && !c->conn.told_to_stop;
    }
    if (used > 0) {
        answer_request(c, &head, content);
    } else if (used < 0) {
        log_line("refused: %d %s", (int)-used, http_reason((int)-used));
        problem(c, (int)-used, "", NULL, "It is not a request that is served here.");
        return length; // where the next one begins is not known
    } else if (status && head.expects_continue && !c->continued) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        memcpy(conn_space(&c->conn), go_on, sizeof go_on - 1);
        conn_wrote(&c->conn, sizeof go_on - 1);
        c->continued = true;
    }
    return (size_t)used;
}

void connection_opened(struct connection *c)
{
    conn_deadline(&c->conn, c->api->settings.idle_ms);
}

size_t connection_received(struct connection *c, const char *bytes, size_t length)
{
    size_t used = 0, part = 1;
    while (part && used < length && !c->conn.paused && !c->conn.closing &&
           conn_room(&c->conn) >= ANSWER_ROOM) {
        part = take_request(c, bytes + used, length - used);
        used += part;
        if (!part && !c->began) // for all of it: bytes that trickle in change nothing
            conn_deadline(&c->conn, c->api->settings.idle_ms);
        c->began = c->began || !part;
    }
    return used;
}

void connection_timeout(struct connection *c)
{
    if (c->record) {
        conn_deadline(&c->conn, NEVER); // the loop was to go round once more, and has
    } else if (c->then) {
        c->then(c);
    } else if (c->began) {
        c->keep_alive = false;
        problem(c, 408, "", NULL, "The rest of the request did not come in time.");
    } else {
        conn_close(&c->conn);
    }
}

void connection_stop(struct connection *c)
{
    c->keep_alive = false;
    if (!c->then && !c->began) // else its answer comes first
        conn_close(&c->conn);
}
