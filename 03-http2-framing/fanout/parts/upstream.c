// upstream.c: see upstream.h. How connections to backends come and go; what is said on them is
// in upstream_h2.c and upstream_h1.c.
#include "upstream.h"

#include <errno.h>
#include <string.h>

#include "conn.h"
#include "log.h"
#include "settings.h"

static int count;

// ---- asking for a connection ---------------------------------------------------------------

// The backend is not there: requests that wait for it are sent to another one.
static void send_elsewhere(struct backend *backend, int64_t now_ns)
{
    int waiting = backend->waiting;
    for (; waiting > 0 && backend->first; waiting--) {
        struct exchange *x = backend->first;
        backend_dequeue(backend, x);
        x->queued = false;
        exchange_dispatch(x, now_ns);
    }
}

static void ask_for_connection(struct backend *backend, int64_t now_ns)
{
    if (count < UPSTREAMS_MAX && dial(&backend->address, backend->address_length, backend)) {
        count++;
        backend->connections++;
        backend->dialing++;
        return;
    }
    log_line("no connection to %s: %s", backend->name, strerror(errno));
    backend->down_until_ns = now_ns + BACKEND_DOWN_MS * INT64_C(1000000);
    send_elsewhere(backend, now_ns);
}

void upstream_serve(struct backend *backend, int64_t now_ns)
{
    if (settings.http1) {
        h1_serve(backend);
        if (backend->waiting > backend->dialing && backend->connections < settings.pool)
            ask_for_connection(backend, now_ns);
    } else if (backend->current) {
        conn_wake(&backend->current->conn);
    } else if (backend->dialing == 0) {
        ask_for_connection(backend, now_ns);
    }
}

struct exchange *upstream_take(struct upstream *up)
{
    struct exchange *x = up->backend->first;
    backend_dequeue(up->backend, x);
    x->queued = false;
    x->upstream = up;
    x->moved_ns = conn_now(&up->conn);
    up->backend->requests++;
    return x;
}

bool upstream_is_over(const struct upstream *up)
{
    return up->conn.loop->stopping && !up->exchange && up->transport.streams.count == 0 &&
           !up->backend->first;
}

void upstream_failed(void *owner)
{
    struct backend *backend = owner;
    count--;
    backend->connections--;
    backend->dialing--;
    while (backend->first) {
        struct exchange *x = backend->first;
        exchange_cancel(x, CANCEL); // it leaves the queue
        exchange_answer(x, 503, "no memory for a connection to a backend");
    }
}

// ---- what the loop calls -------------------------------------------------------------------

static struct upstream *upstream_of(struct conn *conn)
{
    return (struct upstream *)conn;
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct upstream *up = upstream_of(conn);
    if (settings.http1)
        return h1_received(up, bytes, length);
    return h2_received(up, bytes, length);
}

static bool produce(struct conn *conn)
{
    struct upstream *up = upstream_of(conn);
    if (!up->connected) {
        if (dial_is_opening(&up->conn))
            return false;
        up->connected = true;
        up->backend->dialing--;
        up->backend->opened++;
        up->backend->down_until_ns = 0;
        if (!settings.http1)
            h2_begin(up);
    }
    if (settings.http1)
        return h1_produce(up);
    return h2_produce(up);
}

static void timeout(struct conn *conn)
{
    struct upstream *up = upstream_of(conn);
    if (settings.http1 || up->transport.state < TRANSPORT_OPEN)
        up->conn.broken = true; // an idle connection; a backend that does not speak HTTP/2
}

static void woken(struct conn *conn)
{
    struct upstream *up = upstream_of(conn);
    if (settings.http1)
        h1_woken(up);
}

static void stop(struct conn *conn)
{
    struct upstream *up = upstream_of(conn);
    if (upstream_is_over(up))
        up->conn.broken = true;
}

static void closed(struct conn *conn)
{
    struct upstream *up = upstream_of(conn);
    struct backend *backend = up->backend;
    int64_t now_ns = conn_now(&up->conn);
    dial_closed(&up->conn);
    count--;
    backend->connections--;
    if (backend->current == up)
        backend->current = NULL;
    if (!up->connected) {
        log_line("no connection to %s", backend->name);
        backend->dialing--;
        backend->down_until_ns = now_ns + BACKEND_DOWN_MS * INT64_C(1000000);
        send_elsewhere(backend, now_ns);
        return;
    }
    if (settings.http1)
        h1_closed(up);
    else
        h2_closed(up);
    if (backend->first)
        upstream_serve(backend, now_ns);
}

const struct loop_server upstream_calls = {.received = received,
                                           .produce = produce,
                                           .timeout = timeout,
                                           .woken = woken,
                                           .stop = stop,
                                           .closed = closed};

void upstream_opened(struct upstream *up, struct backend *backend)
{
    up->calls = &upstream_calls;
    up->backend = backend;
    if (!settings.http1)
        backend->current = up;
}
