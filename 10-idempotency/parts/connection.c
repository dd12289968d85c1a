// connection.c: see connection.h. Read connection_received() first.
#include "connection.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "problem.h"
#include "smaller.h"

#define CONTENT_MAX JSON_BYTES // of a request

// A struct conn of this server is always the first member of a struct connection, so the two
// have the same address: that is what makes this cast right.
struct connection *connection_of(struct conn *conn)
{
    return (struct connection *)conn;
}

// ---- answers -------------------------------------------------------------------------------

static void end_exchange(struct connection *c)
{
    c->charge = c->record = NULL;
    c->then = NULL;
    c->http.head_only = false;
    c->conn.paused = false;
    conn_deadline(&c->conn, c->api->settings.idle_ms);
    if (!c->http.keep_alive)
        conn_close(&c->conn);
}

void connection_answer(struct connection *c, int status, const char *fields,
                       struct http_text json)
{
    struct http_out out = {conn_space(&c->conn), conn_room(&c->conn), 0, false};
    const char *type = "application/json";
    if (status == 204)
        type = NULL;
    else if (status >= 400)
        type = "application/problem+json";
    http_server_answer(&c->http, &out, status, type, fields, json);
    log_line("%s: %d, %zu bytes", c->about, status, json.length);
    if (out.overflow) // ANSWER_ROOM is meant to be enough for every answer
        c->conn.broken = true;
    else
        conn_wrote(&c->conn, out.length);
    end_exchange(c);
}

void connection_drop(struct connection *c)
{
    log_line("%s: the answer is lost (--drop)", c->about);
    c->http.keep_alive = false;
    end_exchange(c);
}

void connection_wait(struct connection *c, int64_t ms, void (*then)(struct connection *c))
{
    c->conn.paused = true; // what the client says next has to wait
    c->then = then;
    conn_deadline(&c->conn, ms);
}

bool connection_write_record(struct connection *c, struct record *record,
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
    if (record == c->charge && !c->durable) // the store is about to free it
        c->charge = NULL;
    conn_wake(&c->conn);
}

// The record is durable, or never will be.
void connection_woken(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    if (c->then)
        c->then(c);
}

// ---- requests ------------------------------------------------------------------------------

static bool matches(const struct route *route, struct http_text path)
{
    size_t length = strlen(route->path);
    if (route->path[length - 1] != '/')
        return http_is(path, route->path);
    return path.length > length && !memcmp(path.at, route->path, length);
}

static void find_answer(struct connection *c, struct request *request)
{
    struct http_text method = request->head->method;
    char allowed[80] = "", field[100];
    for (const struct route *route = c->api->routes; route->path; route++) {
        size_t length = strlen(route->path);
        bool is_get = !strcmp(route->method, "GET");
        if (!matches(route, request->path))
            continue;
        request->rest =
            (struct http_text){request->path.at + length, request->path.length - length};
        if (http_is(method, route->method) || (is_get && c->http.head_only)) {
            route->answer(c, request);
            return;
        }
        if (*allowed)
            strcat(allowed, ", ");
        strcat(allowed, route->method);
        if (is_get)
            strcat(allowed, ", HEAD");
    }
    if (!*allowed) {
        problem(c, 404, "", NULL, "There is nothing under this path.");
        return;
    }
    snprintf(field, sizeof field, "Allow: %s\r\n", allowed);
    problem(c, 405, field, NULL, "This path does not know this method.");
}

// Keeps the request's method and target, as far as there is room: for the log.
static void note(struct connection *c, const struct http_head *head)
{
    size_t room = sizeof c->about - 2, method = smaller(head->method.length, room);
    size_t target = smaller(head->target.length, room - method);
    memcpy(c->about, head->method.at, method);
    c->about[method] = ' ';
    memcpy(c->about + method + 1, head->target.at, target);
    c->about[method + 1 + target] = '\0';
}

static void answer_request(struct connection *c, const struct http_request *whole)
{
    struct request request = {.head = &whole->head,
                              .path = whole->path,
                              .query = whole->query,
                              .content = whole->content};
    c->api->stats.requests++;
    note(c, &whole->head);
    find_answer(c, &request);
}

// A request that is not HTTP, is too long, or asks for what this server does not have.
static void refuse(struct connection *c, int status)
{
    const char *why = c->http.why;
    if (!why)
        why = "the request cannot be served";
    strcpy(c->about, "refused");
    problem(c, status, "", NULL, why);
}

void connection_opened(struct connection *c, struct api *api)
{
    c->api = api;
    c->http.content_max = CONTENT_MAX;
    conn_deadline(&c->conn, c->api->settings.idle_ms);
}

size_t connection_received(struct conn *conn, const char *bytes, size_t length)
{
    struct connection *c = connection_of(conn);
    static struct http_request request;
    size_t used = 0;
    request.status = HTTP_WHOLE;
    while (request.status != HTTP_MORE && used < length && !c->conn.paused &&
           !c->conn.closing && conn_room(&c->conn) >= ANSWER_ROOM) {
        bool began = c->http.began;
        struct http_out out = {conn_space(&c->conn), conn_room(&c->conn), 0, false};
        used += http_server_take(&c->http, bytes + used, length - used, &request, &out);
        conn_wrote(&c->conn, out.length); // 100 Continue
        if (request.status == HTTP_WHOLE)
            answer_request(c, &request);
        else if (request.status != HTTP_MORE)
            refuse(c, request.status);
        else if (c->http.began && !began) // one deadline for all of the request
            conn_deadline(&c->conn, c->api->settings.idle_ms);
        if (request.status != HTTP_MORE)
            http_server_done(&c->http);
    }
    return used;
}

// The deadline has passed: a wait is over, the rest of a request has not come, or the client
// was silent for too long.
void connection_timeout(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    if (c->then) {
        c->then(c);
    } else if (c->http.began) {
        c->http.keep_alive = false;
        strcpy(c->about, "a part of a request");
        problem(c, 408, "", NULL, "The rest of the request did not come in time.");
    } else {
        conn_close(&c->conn);
    }
}

void connection_stop(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    c->http.stopping = true;
    c->http.keep_alive = false;
    if (!c->then && !c->http.began) // else the client gets its answer first
        conn_close(&c->conn);
}
