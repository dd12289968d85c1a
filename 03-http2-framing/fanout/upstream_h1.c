// upstream_h1.c: see upstream.h. The proxy as a client of a backend, over HTTP/1.1: a pool of
// connections, each with one exchange at a time. Read h1_produce() first, then h1_received().
#include <string.h>

#include "log.h"
#include "settings.h"
#include "smaller.h"
#include "upstream.h"

#define CHUNK_ROOM 32 // bytes of a chunk's size and of what ends it
// While more bytes of an answer wait for its client, no further ones are read, until fewer
// wait. The client's side wakes this one each time it has taken OWED_LEAST bytes.
#define DOWN_HIGH 65536
#define DOWN_LOW  OWED_LEAST

// ---- the pool ------------------------------------------------------------------------------

static void enter_idle(struct upstream *up)
{
    up->is_idle = true;
    up->next_idle = up->backend->idle;
    up->backend->idle = up;
    conn_deadline(&up->conn, UPSTREAM_KEEP_MS);
}

static void leave_idle(struct upstream *up)
{
    struct upstream **at = &up->backend->idle;
    while (*at != up)
        at = &(*at)->next_idle;
    *at = up->next_idle;
    up->is_idle = false;
    conn_deadline(&up->conn, NEVER);
}

static void take_next(struct upstream *up)
{
    up->exchange = upstream_take(up);
    up->in_content = up->keep = up->chunks = false;
}

void h1_serve(struct backend *backend)
{
    while (backend->first && backend->idle) {
        struct upstream *up = backend->idle;
        leave_idle(up);
        take_next(up);
        conn_wake(&up->conn);
    }
}

// ---- the request ---------------------------------------------------------------------------

static bool put_request_head(struct upstream *up, struct exchange *x, struct http_out *out)
{
    bool has_content = !(x->up.ended && x->up.content.length == 0);
    bool has_length = fields_find(x->request, "content-length").at != NULL;
    up->chunks = has_content && !has_length;
    fields_put_head(x->request, up->chunks, out);
    return !out->overflow;
}

// Writes what is here of the content, as far as there is room.
static void put_content(struct upstream *up, struct flow *flow, struct http_out *out)
{
    size_t room = out->size - out->length;
    uint32_t length = flow->content.length;
    if (room < CHUNK_ROOM)
        return;
    length = (uint32_t)smaller(length, room - CHUNK_ROOM);
    if (up->chunks && length > 0) {
        http_put_number(out, length, 16);
        http_put_text(out, "\r\n");
    }
    if (length > 0)
        http_put(out, bytes_at(&flow->content), length);
    if (up->chunks && length > 0)
        http_put_text(out, "\r\n");
    flow_took(flow, length);
    if (!flow->ended || flow->content.length > 0 || out->size - out->length < CHUNK_ROOM)
        return;
    if (up->chunks)
        http_put_text(out, "0\r\n\r\n"); // trailers do not pass: most servers drop them anyway
    flow->done = true;
}

bool h1_produce(struct upstream *up)
{
    struct exchange *x = up->exchange;
    if (!x && !up->is_idle) { // new, or free again
        if (up->backend->first)
            take_next(up);
        else if (upstream_is_over(up))
            up->conn.broken = true;
        else
            enter_idle(up);
        x = up->exchange;
    }
    if (!x || x->cancelled || x->up.done ||
        conn_room(&up->conn) < HTTP_LINE_BYTES + HTTP_HEAD_BYTES)
        return false;
    struct http_out out = {conn_space(&up->conn), conn_room(&up->conn), 0, false};
    if (!x->up.head_sent && !put_request_head(up, x, &out)) {
        up->conn.broken = true;
        return false;
    }
    x->up.head_sent = true;
    put_content(up, &x->up, &out);
    conn_wrote(&up->conn, out.length);
    if (out.length > 0)
        x->moved_ns = conn_now(&up->conn);
    if (x->up.owed >= OWED_LEAST)
        exchange_wake_client(x);
    return out.length > 0;
}

// ---- the answer ----------------------------------------------------------------------------

// What has come is no answer to this request.
static size_t refuse(struct upstream *up, const char *why)
{
    log_line("%s: %s", up->backend->name, why);
    up->bad = true;
    up->conn.broken = true;
    return 0;
}

static void finish(struct upstream *up)
{
    struct exchange *x = up->exchange;
    bool keep = up->keep && x->up.done && !up->conn.ended;
    x->down.ended = true;
    up->exchange = NULL;
    exchange_backend_done(x);
    if (!keep)
        up->conn.broken = true;
}

static size_t take_head(struct upstream *up, const char *bytes, size_t length)
{
    struct exchange *x = up->exchange;
    struct http_head head;
    int result = http_read_response(bytes, length, &head);
    if (result < 0)
        return refuse(up, head.why);
    if (result > 0 && head.status == 101)
        return refuse(up, "a change of protocol that nobody has asked for");
    if (result == 0)
        return 0;
    const char *told = settings.tell ? up->backend->name : NULL;
    if (!flow_head(&x->down, fields_of_head(&head, told)))
        return refuse(up, "too many heads, a head that is too long, or no memory");
    exchange_wake_client(x);
    if (head.status < 200)
        return head.length;
    pace_begin(&x->pace, conn_now(&up->conn));
    up->in_content = true;
    up->keep = head.keep_alive;
    http_body_of_response(&up->body, &head, x->head);
    if (up->body.done)
        finish(up);
    return head.length;
}

static size_t take_content(struct upstream *up, const char *bytes, size_t length)
{
    struct exchange *x = up->exchange;
    struct http_text content = {NULL, 0};
    ssize_t used = http_body_take(&up->body, bytes, length, &content);
    if (used < 0)
        return refuse(up, up->body.why);
    if (x->down.content.length == 0)
        pace_begin(&x->pace, conn_now(&up->conn));
    if (!flow_add(&x->down, content.at, (uint32_t)content.length))
        return refuse(up, "no memory for what has come");
    exchange_wake_client(x);
    if (up->body.done)
        finish(up);
    return (size_t)used;
}

size_t h1_received(struct upstream *up, const char *bytes, size_t length)
{
    size_t used = 0, part = 1;
    if (!up->exchange || !up->exchange->up.head_sent) {
        refuse(up, "an answer that nobody has asked for");
        return length;
    }
    up->exchange->moved_ns = conn_now(&up->conn);
    while (part > 0 && used < length && up->exchange && !up->conn.broken && !up->conn.paused) {
        if (up->in_content)
            part = take_content(up, bytes + used, length - used);
        else
            part = take_head(up, bytes + used, length - used);
        used += part;
        if (up->exchange)
            up->conn.paused = up->exchange->down.content.length >= DOWN_HIGH;
    }
    if (!up->exchange && used < length) // it would be taken for the answer to the next request
        up->conn.broken = true;
    return used;
}

void h1_woken(struct upstream *up)
{
    struct exchange *x = up->exchange;
    if (!x || x->down.content.length <= DOWN_LOW)
        up->conn.paused = false;
    if (x)
        x->down.owed = 0; // there is no window here
    if (x && x->cancelled)
        up->conn.broken = true;
}

void h1_closed(struct upstream *up)
{
    struct exchange *x = up->exchange;
    bool whole = x && up->in_content && up->body.state == BODY_TO_CLOSE && up->conn.ended &&
                 !up->conn.broken && !x->cancelled;
    if (up->is_idle)
        leave_idle(up);
    up->exchange = NULL;
    if (whole) {
        x->down.ended = true;
        exchange_backend_done(x);
    } else if (x && x->cancelled) {
        exchange_backend_done(x);
    } else if (x) {
        up->backend->lost++;
        exchange_backend_broken(x, up->bad ? PROTOCOL_ERROR : CONNECTION_LOST,
                                conn_now(&up->conn));
    }
}
