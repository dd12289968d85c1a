// upstream.c: see upstream.h. Read produce() and take() first: a request goes out, and its
// answer comes in.
#include "upstream.h"

#include <stdio.h>

#include "smaller.h"

#define VALUE_MAX 40 // bytes of a field's value that the log shows

static const struct forward_proxy by = {"workbench", false};

static struct upstream *upstream_of(struct link *l)
{
    return (struct upstream *)l; // it begins with it
}

// ---- opening -------------------------------------------------------------------------------

// It can carry bytes.
static void established(struct link *l)
{
    struct upstream *u = upstream_of(l);
    u->ready = true;
    if (u->down)
        link_wake(&u->down->link);
}

static void opened(struct link *l, void *target, void *who)
{
    struct upstream *u = upstream_of(l);
    u->endpoint = target;
    u->down = who;
    u->endpoint->links++;
    u->generation = identity_generation;
    if (u->down)
        u->down->up = u;
    else
        u->given_up = true;
    if (u->endpoint->service)
        l->expected = u->endpoint->service->identity;
    if (!l->secure)
        established(l);
}

// ---- the request ---------------------------------------------------------------------------

// Sends the next part of the request. What can be sent again is kept, the rest is forgotten.
static bool send_request(struct upstream *u, struct downstream *d)
{
    bool more = link_send(&u->link, &d->request);
    if (buffer_left(&d->request))
        return more;
    if (!d->kept)
        buffer_clear(&d->request);
    if (d->in_content && conn_of(&d->link)->paused) {
        link_resume(&d->link); // there is room for more of its content
        link_wake(&d->link);
    }
    return false;
}

static bool produce(struct link *l)
{
    struct upstream *u = upstream_of(l);
    if (u->given_up)
        link_close(l, true);
    else if (u->ready && u->down)
        return send_request(u, u->down);
    return false;
}

// ---- the answer ----------------------------------------------------------------------------

// The connection has done its work for this request: it waits for the next one, or ends.
static void release(struct upstream *u)
{
    struct downstream *d = u->down;
    u->last = u->last || (d && (d->in_content || buffer_left(&d->request)));
    u->in_answer = false;
    u->down = NULL;
    if (d) {
        d->up = NULL;
        d->answered = true;
        link_wake(&d->link);
    }
    if (u->last || !upstream_is_fresh(u) || state.draining)
        link_close(&u->link, true);
    else
        upstream_join_idle(u);
}

// The answer cannot be used, or cannot be completed.
static void fail(struct upstream *u, enum retry_failure failure, int status, const char *why)
{
    struct downstream *d = u->down;
    u->down = NULL;
    u->last = u->given_up = true;
    if (d)
        downstream_failed(d, failure, status, why);
}

// The answer's head as the downstream gets it.
static bool write_head(struct upstream *u, struct downstream *d, const struct http_head *head)
{
    static char bytes[FORWARD_HEAD_BYTES];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    struct forward forward = {.by = &by};
    forward.asked[0].old = d->old;
    forward_answer_head(&forward, head, !d->last, !d->old, &out);
    if (u->chunks == CHUNKS_ON) {
        out.length -= 2; // in front of the empty line
        http_put_text(&out, "Transfer-Encoding: chunked\r\n\r\n");
    }
    return !out.overflow && buffer_put(&d->answer, bytes, out.length);
}

// How the downstream learns where the answer ends. Where its length is not known, an app of
// HTTP/1.0 sees it by the end of its connection, all others by the last chunk: so the
// connection between two sidecars stays, whatever their apps speak.
static void choose_framing(struct upstream *u, struct downstream *d,
                           const struct http_head *head)
{
    bool to_close = !u->body.done && u->body.state == BODY_TO_CLOSE;
    u->chunks = CHUNKS_AS_THEY_ARE;
    if (d->old && head->chunked)
        u->chunks = CHUNKS_OFF;
    else if (to_close && !d->old)
        u->chunks = CHUNKS_ON;
    d->last = d->last || (d->old && (to_close || head->chunked));
    // An answer that comes before the request's end: the place where another request would
    // begin is not known.
    if (d->in_content || (d->inbound && state.draining))
        d->last = true;
    u->last = u->last || !head->keep_alive || to_close;
}

// The other sidecar says that its hop to its app has failed. True if there will be another try.
static bool is_tried_again(struct upstream *u, const struct http_head *head)
{
    struct http_text failed = http_field(head, "hop-failed");
    enum retry_failure failure = RETRY_BROKEN;
    char why[LINK_WHY_BYTES];
    if (u->down->inbound || !failed.at)
        return false;
    if (http_is_token(failed, NOT_DELIVERED))
        failure = RETRY_NOT_DELIVERED;
    snprintf(why, sizeof why, "%s answers %d, %.*s", u->endpoint->name, head->status,
             (int)smaller(failed.length, VALUE_MAX), failed.at);
    return downstream_sends_again(u->down, failure, why);
}

// The head of the answer that counts is here. Returns how many bytes are used.
static size_t begin_answer(struct upstream *u, struct downstream *d, struct http_head *head)
{
    int status = head->status;
    http_body_of_response(&u->body, head, d->head_only);
    u->in_answer = true;
    services_result(d->endpoint, status < 502 || status > 504);
    bool whole = !d->in_content && !buffer_left(&d->request); // all of the request was sent
    if (is_tried_again(u, head)) {
        u->last = u->last || !head->keep_alive || !whole;
        u->down = NULL;
        d->up = NULL;
        return head->length;
    }
    if (d->inbound)
        request_head_remove(head, HOP_FAILED);
    choose_framing(u, d, head);
    d->status = status;
    d->stage = STAGE_SENDING;
    if (!write_head(u, d, head))
        fail(u, RETRY_REFUSED, 502, "no memory for the answer's head");
    else
        link_wake(&d->link);
    return head->length;
}

static size_t take_head(struct upstream *u, const char *bytes, size_t length)
{
    static struct http_head head;
    struct downstream *d = u->down;
    int result = http_read_response(bytes, length, &head);
    char why[LINK_WHY_BYTES];
    if (result == 0)
        return 0;
    if (result > 0 && head.status == 101)
        result = http_refuse(&head, 502, "101, and nobody has asked for another protocol");
    if (result < 0) {
        snprintf(why, sizeof why, "a malformed answer: %s", head.why);
        services_result(d->endpoint, false);
        fail(u, RETRY_BROKEN, 502, why);
        return length;
    }
    if (head.status >= 200)
        return begin_answer(u, d, &head);
    u->chunks = CHUNKS_AS_THEY_ARE;
    if (!d->old && !write_head(u, d, &head)) // HTTP/1.0 has no answers 1xx
        fail(u, RETRY_REFUSED, 502, "no memory for the answer's head");
    link_wake(&d->link);
    return head.length;
}

static size_t take_content(struct upstream *u, const char *bytes, size_t length)
{
    static struct buffer nowhere;
    struct downstream *d = u->down;
    struct buffer *out = &nowhere;
    uint64_t none, *count = &none;
    if (d) {
        out = &d->answer;
        count = &d->answer_bytes;
        buffer_compact(out);
    }
    ssize_t used = pass_content(&u->body, bytes, length, u->chunks, out, count);
    buffer_clear(&nowhere);
    if (used < 0) {
        fail(u, RETRY_BROKEN, 502, "the answer's content is malformed");
        return length;
    }
    if (d && buffer_left(&d->answer) > WAITING_BYTES)
        link_pause(&u->link); // until the downstream has taken some of it
    if (d && used)
        link_wake(&d->link);
    return (size_t)used;
}

static size_t take(struct link *l, const char *bytes, size_t length)
{
    struct upstream *u = upstream_of(l);
    size_t used;
    if (u->given_up || (!u->down && !u->in_answer)) { // no request waits for it
        link_close(l, true);
        return length;
    }
    if (u->in_answer)
        used = take_content(u, bytes, length);
    else
        used = take_head(u, bytes, length);
    if (u->in_answer && u->body.done)
        release(u);
    else if (u->given_up)
        link_close(l, true);
    return used;
}

// ---- the end -------------------------------------------------------------------------------

// The other side has said that it will send no more. An answer without a length is complete.
static bool ends_answer(const struct upstream *u)
{
    return u->in_answer && u->body.state == BODY_TO_CLOSE && !u->body.done;
}

static void complete(struct upstream *u)
{
    struct downstream *d = u->down;
    if (d && u->chunks == CHUNKS_ON && !buffer_put(&d->answer, "0\r\n\r\n", 5))
        d->cut = true;
    u->body.done = true;
    release(u);
}

static void ended(struct link *l)
{
    struct upstream *u = upstream_of(l);
    upstream_leave_idle(u);
    if (ends_answer(u))
        complete(u);
    else
        link_close(l, true);
}

// A connection has ended while it carries a request.
static void lose(struct upstream *u)
{
    struct downstream *d = u->down;
    char reason[LINK_WHY_BYTES], why[LINK_WHY_BYTES];
    link_why(&u->link, reason);
    bool refused = u->link.secure && u->link.tls.ssl && u->link.tls.alert >= 0;
    bool begun = d->request.at > 0 || !d->kept; // of this request; what is not kept is gone
    bool sent = u->ready && begun && conn_of(&u->link)->sent_bytes > 0 && !refused;
    snprintf(why, sizeof why, "%.60s: %.80s", u->endpoint->name, reason);
    if (!u->in_answer) {
        // A connection that was closed while it waited says nothing about the endpoint.
        if (!u->reused)
            services_result(d->endpoint, false);
        if (d->inbound && !sent)
            state_app(false);
    }
    if (sent)
        fail(u, RETRY_BROKEN, 502, why);
    else
        fail(u, RETRY_NOT_DELIVERED, 503, why);
}

static void closed(struct link *l)
{
    struct upstream *u = upstream_of(l);
    upstream_leave_idle(u);
    // Without TLS the end of the connection is all that there is: a plain app's answer of
    // HTTP/1.0 that was cut cannot be told from a whole one.
    if (u->down && ends_answer(u) && !l->secure && conn_of(l)->ended)
        complete(u);
    else if (u->down)
        lose(u);
    u->endpoint->links--;
}

// It has waited long enough for a request, or its request has come in the meantime.
static void timeout(struct link *l)
{
    struct upstream *u = upstream_of(l);
    if (u->down)
        return;
    upstream_leave_idle(u);
    link_close(l, true);
}

const struct link_kind upstream_kind = {.opened = opened,
                                        .established = established,
                                        .take = take,
                                        .produce = produce,
                                        .ended = ended,
                                        .timeout = timeout,
                                        .stop = timeout,
                                        .closed = closed};
