// exchange.c: see exchange.h. Read exchange_dispatch() first, then exchange_backend_broken().
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>

#include "frame_names.h"
#include "log.h"
#include "settings.h"
#include "upstream.h"

#define NS_PER_MS INT64_C(1000000)

struct exchange_figures exchange_figures;

struct exchange *exchange_begin(struct conn *conn, struct transport *transport,
                                struct stream *stream)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->client_conn = conn;
    x->client = transport;
    x->client_stream = stream;
    x->deadline_ns = NEVER;
    x->moved_ns = transport->now_ns;
    pace_begin(&x->pace, transport->now_ns);
    exchange_figures.requests++;
    return x;
}

// Frees the exchange when both of its ends are gone.
static void release(struct exchange *x)
{
    if (x->client_stream || x->upstream || x->queued)
        return;
    flow_drop(&x->up);
    flow_drop(&x->down);
    free(x->request);
    free(x);
}

void exchange_wake_client(struct exchange *x)
{
    if (!x->client_stream)
        return;
    transport_wants_to_send(x->client, x->client_stream);
    conn_wake(x->client_conn);
}

void exchange_wake_backend(struct exchange *x)
{
    if (!x->upstream)
        return;
    if (x->upstream_stream)
        transport_wants_to_send(&x->upstream->transport, x->upstream_stream);
    conn_wake(&x->upstream->conn);
}

bool exchange_takes_request(const struct exchange *x)
{
    return (x->upstream || x->queued) && !x->cancelled;
}

void exchange_dispatch(struct exchange *x, int64_t now_ns)
{
    struct backend *backend = NULL;
    if (x->tries < TRIES_MAX)
        backend = backend_pick(x->backend, now_ns);
    x->tries++;
    x->moved_ns = now_ns;
    if (!backend) {
        exchange_answer(x, 502, "no backend has answered");
        return;
    }
    x->backend = backend;
    x->queued = true;
    backend_enqueue(backend, x);
    upstream_serve(backend, now_ns);
}

// ---- one end is gone -----------------------------------------------------------------------

// These codes blame what this proxy has sent, or what it was sent: they are not for the
// other end.
static bool is_about_this_hop(enum error_code code)
{
    return code == CONNECTION_LOST || code == PROTOCOL_ERROR || code == FLOW_CONTROL_ERROR ||
           code == STREAM_CLOSED || code == FRAME_SIZE_ERROR || code == COMPRESSION_ERROR;
}

void exchange_cancel(struct exchange *x, enum error_code code)
{
    if (x->queued) {
        backend_dequeue(x->backend, x);
        x->queued = false;
    } else if (x->upstream) {
        x->cancelled = true;
        x->cancel_code = code;
        exchange_wake_backend(x);
    }
}

void exchange_client_gone(struct exchange *x, enum error_code code)
{
    if (is_about_this_hop(code))
        code = CANCEL;
    x->client_stream = NULL;
    flow_drop(&x->down);
    exchange_cancel(x, code);
    release(x);
}

void exchange_backend_done(struct exchange *x)
{
    x->upstream = NULL;
    x->upstream_stream = NULL;
    flow_drop(&x->up);
    exchange_wake_client(x);
    release(x);
}

void exchange_answer(struct exchange *x, int status, const char *why)
{
    char text[200];
    int length = 0;
    if (status != 204)
        length = snprintf(text, sizeof text, "%d %s: %s\n", status, http_reason(status), why);
    log_line("%s: %d %s", x->line, status, why);
    exchange_figures.own_answers++;
    exchange_cancel(x, CANCEL);
    flow_drop(&x->down);
    flow_drop(&x->up);
    bool kept = flow_head(&x->down, fields_of_own_answer(status, (size_t)length)) &&
                (x->head || flow_add(&x->down, text, (uint32_t)length));
    x->down.ended = true;
    x->reset = !kept;
    x->reset_code = INTERNAL_ERROR;
    exchange_wake_client(x);
}

// What the client is told with RST_STREAM.
static void reset_client(struct exchange *x, enum error_code code)
{
    log_line("%s: RST_STREAM %s", x->line, error_code_name(code));
    exchange_figures.resets++;
    x->reset = true;
    x->reset_code = code;
    exchange_wake_client(x);
}

// A request that no backend has worked on may be sent to another one: REFUSED_STREAM says so
// (RFC 9113 §8.7). After a lost connection that is unknown: only safe methods are sent again.
static bool may_try_again(const struct exchange *x, enum error_code code)
{
    if (x->down.final_head || x->up.passed > 0) // its content is here no more
        return false;
    return code == REFUSED_STREAM || (code == CONNECTION_LOST && x->safe);
}

void exchange_backend_broken(struct exchange *x, enum error_code code, int64_t now_ns)
{
    x->upstream = NULL;
    x->upstream_stream = NULL;
    if (!x->client_stream) {
        release(x);
    } else if (x->cancelled || x->down.ended) { // all that the client gets is here
        x->cancelled = false;
        exchange_wake_client(x);
    } else if (may_try_again(x, code)) {
        x->up.head_sent = x->up.done = false;
        exchange_dispatch(x, now_ns);
        exchange_figures.retries += exchange_takes_request(x); // else there was no other one
    } else if (!is_about_this_hop(code)) {
        reset_client(x, code);
    } else if (!x->down.final_head) {
        exchange_answer(x, 502, "the backend has not answered as it should");
    } else {
        reset_client(x, INTERNAL_ERROR);
    }
}

// ---- time ----------------------------------------------------------------------------------

// How long a client may be waited for: less while many bytes wait for slow clients, so that
// they leave room for the others.
static int64_t client_patience_ns(void)
{
    int64_t patience_ns = settings.stall_ms * NS_PER_MS;
    if (bytes_are_scarce())
        patience_ns /= 10;
    return patience_ns;
}

void exchange_check(struct exchange *x, int64_t now_ns)
{
    bool slow_reader = x->down.content.length > 0 || x->down.heads;
    bool slow_writer = exchange_takes_request(x) && !x->up.ended && !x->down.final_head &&
                       x->up.content.length == 0 && !x->patient;
    bool late_client =
        (slow_reader || slow_writer) && now_ns - x->pace.paid_ns > client_patience_ns();
    bool late_backend = !slow_reader && !slow_writer && exchange_takes_request(x) &&
                        now_ns - x->moved_ns > settings.answer_ms * NS_PER_MS;
    if (x->down.done) {
        if (now_ns > x->drain_end_ns)
            reset_client(x, NO_ERROR);
    } else if (late_client && slow_writer) {
        exchange_answer(x, 408, "the request does not end");
    } else if (late_client) {
        exchange_cancel(x, CANCEL);
        reset_client(x, CANCEL);
    } else if (now_ns > x->deadline_ns || (late_backend && x->down.final_head)) {
        exchange_cancel(x, CANCEL);
        x->deadline_ns = NEVER;
        reset_client(x, CANCEL);
    } else if (late_backend) {
        exchange_answer(x, 504, "the backend does not answer in time");
    }
}
