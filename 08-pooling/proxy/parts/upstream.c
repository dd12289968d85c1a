// upstream.c: see upstream.h. Read upstream_find() first, then connect_to() and
// upstream_open_all(); upstream_produce() sends the request, upstream_received() takes the
// answer.
#include "upstream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "conn.h"
#include "guard.h"
#include "log.h"
#include "resolve.h"
#include "settings.h"
#include "tunnel.h"

static struct upstream *idle; // the one that was used last comes first
static int idle_count, count;
static struct exchange *opening; // connect() was called for them
static struct exchange *opens;   // the one that opened() is about
static struct upstream *newest;  // the connection that it became, while it is there

// ---- the idle ones -------------------------------------------------------------------------

static void leave_idle(struct upstream *up)
{
    struct upstream **at = &idle;
    while (*at != up)
        at = &(*at)->next_idle;
    *at = up->next_idle;
    up->is_idle = false;
    idle_count--;
}

void upstream_done(struct upstream *up, bool keep)
{
    up->exchange = NULL;
    up->conn.paused = false;
    if (!keep || idle_count == UPSTREAM_IDLE_MAX || up->conn.loop->stopping) {
        conn_wake(&up->conn); // it then closes
        return;
    }
    up->next_idle = idle;
    idle = up;
    up->is_idle = true;
    idle_count++;
    conn_deadline(&up->conn, UPSTREAM_IDLE_MS);
}

// ---- opening -------------------------------------------------------------------------------

static bool find_idle(struct exchange *x)
{
    struct upstream *up = idle;
    while (up && strcmp(up->server, x->route.server))
        up = up->next_idle;
    if (!up)
        return false;
    leave_idle(up);
    up->exchange = x;
    up->reused = true;
    x->upstream = up;
    conn_deadline(&up->conn, settings.answer_ms);
    conn_wake(&up->conn);
    return true;
}

// Begins to connect. The address that is checked is the one that is connected to: no look-up
// comes in between.
static void connect_to(struct exchange *x, const struct sockaddr_storage *address)
{
    socklen_t length = sizeof(struct sockaddr_in);
    if (address->ss_family == AF_INET6)
        length = sizeof(struct sockaddr_in6);
    if (x->route.guarded && !settings.allow_private && !guard_allows(address)) {
        exchange_fail(x, 403, "this proxy does not connect to private addresses or its own");
        return;
    }
    if (count >= UPSTREAMS_MAX) {
        exchange_fail(x, 503, "too many connections to servers");
        return;
    }
    x->fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (x->fd < 0 ||
        (connect(x->fd, (const struct sockaddr *)address, length) && errno != EINPROGRESS)) {
        if (x->fd >= 0)
            close(x->fd);
        exchange_fail(x, 502, strerror(errno));
        return;
    }
    count++;
    x->pending = true;
    x->next_opening = opening;
    opening = x;
}

// A look-up is done: see resolve.h.
static void found(void *context, const struct sockaddr_storage *address)
{
    struct exchange *x = context;
    x->pending = false;
    if (!x->client && !x->is_flight)
        exchange_release(x);
    else if (!address)
        exchange_fail(x, 502, "the server's name is not known");
    else
        connect_to(x, address);
}

void upstream_find(struct exchange *x)
{
    // On an idle connection the server may be about to close. A request that must not be sent
    // twice gets a new one.
    if (x->is_safe && !x->route.is_connect && !x->route.is_upgrade && find_idle(x))
        return;
    if (!x->route.guarded) {
        connect_to(x, &settings.upstream_address);
        return;
    }
    x->pending = true;
    if (!resolve(x->route.server, found, x)) {
        x->pending = false;
        exchange_fail(x, 503, "too many names are being looked up");
    }
}

// The loop opens a connection only between two rounds: within a callback its buffer belongs to
// another connection.
void upstream_open_all(struct loop *loop)
{
    while (opening) {
        struct exchange *x = opening;
        bool is_needed = x->client || x->is_flight;
        opening = x->next_opening;
        opens = x;
        x->pending = false;
        if (is_needed)
            conn_open(loop, x->fd);
        else
            close(x->fd);
        if (newest) {
            newest->stage = UPSTREAM_CONNECTING;
            conn_await_connected(&newest->conn, CONNECT_MS);
        }
        newest = NULL;
        if (!opens) // upstream_opened() has taken it
            continue;
        opens = NULL;
        count--;
        if (is_needed)
            exchange_fail(x, 503, "no memory for a connection to the server");
        else
            exchange_release(x);
    }
}

bool upstream_opened(struct upstream *up)
{
    if (!opens)
        return false;
    up->kind = UPSTREAM;
    up->exchange = opens;
    opens->upstream = newest = up;
    snprintf(up->server, sizeof up->server, "%s", opens->route.server);
    opens = NULL;
    return true;
}

// ---- the loop's calls ----------------------------------------------------------------------

size_t upstream_received(struct upstream *up, const char *bytes, size_t length)
{
    struct exchange *x = up->exchange;
    if (!x || (!x->head_at && !x->is_tunnel)) { // an answer that nobody has asked for
        up->conn.broken = true;
        return length;
    }
    conn_deadline(&up->conn, settings.answer_ms);
    if (x->is_tunnel)
        return tunnel_take(x, 1, bytes, length);
    size_t used = exchange_take_answer(x, bytes, length);
    if (used < length && up->exchange == x && x->is_tunnel) // a 101: what is behind it
        used += tunnel_take(x, 1, bytes + used, length - used);
    // More than the answer: it must not be taken for the answer to the next request.
    if (up->exchange != x && used < length)
        up->conn.broken = true;
    return used;
}

// Sends the request: its head, then what is here of its content.
static bool send_request(struct exchange *x, struct conn *c)
{
    size_t part = smaller(conn_room(c), x->head.length - x->head_at);
    memcpy(conn_space(c), x->head.at + x->head_at, part);
    conn_wrote(c, part);
    x->head_at += part;
    if (x->head_at == x->head.length && pipe_left(&x->up)) {
        part += pipe_give(&x->up, c);
        if (x->client)
            conn_wake(&x->client->conn); // there is room again
    }
    return part > 0;
}

bool upstream_produce(struct upstream *up)
{
    struct exchange *x = up->exchange;
    if (up->stage == UPSTREAM_OPENING || !x)
        return false;
    if (up->stage == UPSTREAM_CONNECTING) {
        up->stage = UPSTREAM_CONNECTED;
        conn_deadline(&up->conn, settings.answer_ms);
        if (x->route.is_connect)
            tunnel_begin(x);
    }
    if (x->is_tunnel)
        return tunnel_give(x, 1);
    return send_request(x, &up->conn);
}

void upstream_timeout(struct upstream *up)
{
    struct exchange *x = up->exchange;
    if (x && x->is_tunnel)
        return; // its client's side looks after the time
    if (x && up->conn.paused) {
        conn_deadline(&up->conn, settings.answer_ms); // it is the client who is slow
        return;
    }
    if (x)
        exchange_fail(x, 504, "the server does not answer in time");
    up->conn.broken = true;
}

void upstream_woken(struct upstream *up)
{
    struct exchange *x = up->exchange;
    if (x && x->is_tunnel)
        tunnel_woken(x, 1);
    else if (!x && !up->is_idle)
        up->conn.broken = true;
    else
        up->conn.paused = false;
}

void upstream_closed(struct upstream *up)
{
    struct exchange *x = up->exchange;
    count--;
    if (newest == up)
        newest = NULL;
    if (up->is_idle)
        leave_idle(up);
    if (!x)
        return;
    x->upstream = NULL;
    up->exchange = NULL;
    if (x->is_tunnel) {
        tunnel_lost(x, 1);
    } else if (up->reused && !x->answered && !x->interim && x->is_safe) {
        x->head_at = 0; // the server had closed it before the request came: once more
        up->reused = false;
        upstream_find(x);
    } else {
        exchange_answer_ends(x, up->conn.ended && !up->conn.broken);
    }
    if (up->stage != UPSTREAM_CONNECTED)
        log_line("no connection to %s", up->server);
}
