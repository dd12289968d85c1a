// session.c: see session.h. Read session_received() first: a request stays in the loop's buffer
// until it is whole, so that nothing of it has to be kept here.
#include "session.h"

#include <string.h>

#include "body.h"
#include "problem.h"
#include "log.h"

#define CONTENT_MAX JSON_BYTES // of a request
#define RAW_MAX     32768      // the same in chunks, with their sizes

// ---- answers -------------------------------------------------------------------------------

static void end_exchange(struct session *s)
{
    s->charge = s->record = NULL;
    s->then = NULL;
    s->began = s->continued = s->head_only = false;
    s->conn.paused = false;
    conn_deadline(&s->conn, s->api->settings.idle_ms);
    if (!s->keep_alive)
        conn_close(&s->conn);
}

void session_answer(struct session *s, int status, const char *fields, struct http_text json)
{
    struct http_out out = {conn_space(&s->conn), conn_room(&s->conn), 0, false};
    http_put_status(&out, status);
    if (status != 204) {
        http_put_field(&out, "Content-Type",
                       status < 400 ? "application/json" : "application/problem+json");
        http_put_length(&out, json.length);
    }
    http_put_text(&out, fields);
    if (!s->keep_alive)
        http_put_text(&out, "Connection: close\r\n");
    else if (s->http10)
        http_put_text(&out, "Connection: keep-alive\r\n");
    http_put(&out, "\r\n", 2);
    if (!s->head_only && status != 204)
        http_put(&out, json.at, json.length);
    if (out.overflow) // ANSWER_ROOM is meant to be enough for all of them
        s->conn.broken = true;
    else
        conn_wrote(&s->conn, out.length);
    end_exchange(s);
}

void session_drop(struct session *s)
{
    s->keep_alive = false;
    end_exchange(s);
}

void session_wait(struct session *s, int64_t ms, void (*then)(struct session *s))
{
    s->conn.paused = true; // what the client says next has to wait
    s->then = then;
    conn_deadline(&s->conn, ms);
}

bool session_keep(struct session *s, struct record *record, void (*then)(struct session *s))
{
    if (!store_add(&s->api->store, record))
        return false;
    record->waiter = s;
    s->record = record;
    session_wait(s, NEVER, then);
    return true;
}

void session_settled(void *waiter, struct record *record)
{
    struct session *s = waiter;
    s->durable = record->state == DURABLE;
    s->existed = record->existed;
    s->record = NULL;
    if (record == s->charge && !s->durable) // it is about to be freed
        s->charge = NULL;
    conn_deadline(&s->conn, 0);
}

void session_look_again(struct session *s)
{
    conn_deadline(&s->conn, 0);
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

static void find_answer(struct session *s, struct request *request)
{
    const struct http_head *head = request->head;
    char allowed[80] = "";
    for (const struct route *route = s->api->routes; route->path; route++) {
        if (!matches(route, request->path))
            continue;
        request->rest = behind(request->path, strlen(route->path));
        if (http_is(head->method, route->method) ||
            (s->head_only && !strcmp(route->method, "GET"))) {
            route->answer(s, request);
            return;
        }
        strcat(allowed, *allowed ? ", " : "Allow: ");
        strcat(allowed, strcmp(route->method, "GET") ? route->method : "GET, HEAD");
    }
    if (!*allowed) {
        problem(s, 404, "", NULL, "There is nothing under this path.");
        return;
    }
    strcat(allowed, "\r\n");
    problem(s, 405, allowed, NULL, "This path does not know this method.");
}

static void answer_request(struct session *s, const struct http_head *head,
                           struct http_text content)
{
    struct request request = {.head = head, .content = content};
    http_split_target(head->target, &request.path, &request.query);
    s->api->figures.requests++;
    log_line("%.*s %.*s", (int)head->method.length, head->method.at, (int)head->target.length,
             head->target.at);
    find_answer(s, &request);
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
static size_t take_request(struct session *s, const char *bytes, size_t length)
{
    static struct http_head head;
    static char room[CONTENT_MAX];
    struct http_text content = {NULL, 0};
    int status = http_read_request(bytes, length, &head);
    ssize_t used = status > 0 ? read_content(&head, bytes, length, room, &content) : status;
    if (status) {
        s->head_only = http_is(head.method, "HEAD");
        s->http10 = head.minor == 0;
        s->keep_alive = used >= 0 && head.keep_alive && !s->conn.told_to_stop;
    }
    if (used > 0) {
        answer_request(s, &head, content);
    } else if (used < 0) {
        log_line("refused: %d %s", (int)-used, http_reason((int)-used));
        problem(s, (int)-used, "", NULL, "It is not a request that is served here.");
        return length; // where the next one begins is not known
    } else if (status && head.expects_continue && !s->continued) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        memcpy(conn_space(&s->conn), go_on, sizeof go_on - 1);
        conn_wrote(&s->conn, sizeof go_on - 1);
        s->continued = true;
    }
    return (size_t)used;
}

void session_opened(struct session *s)
{
    conn_deadline(&s->conn, s->api->settings.idle_ms);
}

size_t session_received(struct session *s, const char *bytes, size_t length)
{
    size_t used = 0, part = 1;
    while (part && used < length && !s->conn.paused && !s->conn.closing &&
           conn_room(&s->conn) >= ANSWER_ROOM) {
        part = take_request(s, bytes + used, length - used);
        used += part;
        if (!part && !s->began) // for all of it: bytes that trickle in change nothing
            conn_deadline(&s->conn, s->api->settings.idle_ms);
        s->began = s->began || !part;
    }
    return used;
}

void session_timeout(struct session *s)
{
    if (s->record) {
        conn_deadline(&s->conn, NEVER); // the loop was to go round once more, and has
    } else if (s->then) {
        s->then(s);
    } else if (s->began) {
        s->keep_alive = false;
        problem(s, 408, "", NULL, "The rest of the request did not come in time.");
    } else {
        conn_close(&s->conn);
    }
}

void session_stop(struct session *s)
{
    s->keep_alive = false;
    if (!s->then && !s->began) // else its answer comes first
        conn_close(&s->conn);
}
