// downstream.c: a connection from the app or from another sidecar, and the request that it
// brings. Read take() and begin_request() first, then produce() and end_request(). What happens
// in between is in tries.c and upstream.c; parts/refuse.c says which requests are refused.
#include <netdb.h>
#include <netinet/in.h>
#include <linux/netfilter_ipv4.h> // behind netinet/in.h, with which it shares names
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "upstream.h"

// Connections of other sidecars that have no request, in a ring: behind `idle` stands the
// oldest one, in front of it the newest one. A connection that is not among them is a ring of
// its own.
static struct downstream idle = {.older = &idle, .newer = &idle};

static struct downstream *downstream_of(struct link *l)
{
    return (struct downstream *)l; // it begins with it
}

// ---- connections that wait for a request ---------------------------------------------------

static void leave_idle(struct downstream *d)
{
    d->older->newer = d->newer;
    d->newer->older = d->older;
    d->older = d->newer = d;
}

static void join_idle(struct downstream *d)
{
    d->stage = STAGE_IDLE;
    conn_deadline(conn_of(&d->link), settings.idle_ms);
    if (!d->inbound)
        return;
    d->older = idle.older;
    d->newer = &idle;
    d->older->newer = idle.older = d;
}

void downstream_make_room(void)
{
    struct downstream *oldest = idle.newer;
    if (oldest == &idle)
        return;
    oldest->last = true;
    link_wake(&oldest->link);
    leave_idle(oldest);
}

static void opened(struct link *l, void *target, void *who)
{
    struct downstream *d = downstream_of(l);
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    (void)target, (void)who;
    d->older = d->newer = d;
    d->inbound = l->secure != NULL;
    if (getpeername(conn_of(l)->fd, (struct sockaddr *)&address, &length) ||
        getnameinfo((struct sockaddr *)&address, length, d->address, sizeof d->address, NULL, 0,
                    NI_NUMERICHOST))
        strcpy(d->address, "unknown");
    length = sizeof d->wanted;
    // Without a rule the kernel has nothing to say, and the Host field has to name the service.
    if (settings.redirected && !d->inbound &&
        getsockopt(conn_of(l)->fd, SOL_IP, SO_ORIGINAL_DST, &d->wanted, &length))
        d->wanted.sin_family = AF_UNSPEC;
    if (!d->inbound)
        join_idle(d);
}

static void established(struct link *l)
{
    join_idle(downstream_of(l));
}

// ---- the end of a request ------------------------------------------------------------------

static void record(struct downstream *d)
{
    int64_t took_ns = now_ns() - d->began_ns;
    state.under_way--;
    metrics_request(d, took_ns);
    access_log_request(d, took_ns);
}

static void end_request(struct downstream *d)
{
    bool whole = !d->cut;
    try_end(d);
    record(d);
    d->last = d->last || d->cut || d->in_content || (d->inbound && state.draining);
    d->answered = d->cut = false;
    buffer_clear(&d->request);
    buffer_clear(&d->answer);
    if (d->last) {
        d->stage = STAGE_IDLE;
        link_close(&d->link, whole);
        return;
    }
    join_idle(d);
    link_resume(&d->link);
}

void downstream_answer(struct downstream *d, int status, const char *fields, const char *why)
{
    char content[300], bytes[900];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    int length = snprintf(content, sizeof content, "%s: %.200s\n", http_reason(status), why);
    snprintf(d->why, sizeof d->why, "%s", why);
    if (d->in_content) // where the next request begins is not known
        d->last = true;
    http_put_status(&out, status);
    http_put_text(&out, fields);
    if (status != 204) {
        http_put_field(&out, "Content-Type", "text/plain");
        http_put_length(&out, (uint64_t)length);
    }
    if (d->last)
        http_put_field(&out, "Connection", "close");
    else if (d->old)
        http_put_field(&out, "Connection", "keep-alive");
    http_put_text(&out, "\r\n");
    if (!d->head_only && status != 204)
        http_put(&out, content, (size_t)length);
    d->status = status;
    d->stage = STAGE_SENDING;
    d->failed = false; // whatever has become of a try
    d->answered = true;
    d->cut = d->cut || !buffer_put(&d->answer, bytes, out.length);
    conn_deadline(conn_of(&d->link), settings.idle_ms);
}

// ---- requests ------------------------------------------------------------------------------

// Sets all that is new with a request.
static void reset(struct downstream *d)
{
    leave_idle(d);
    state.under_way++;
    d->began_ns = downstream_now(d);
    d->give_up_ns = d->began_ns + settings.timeout_ms * INT64_C(1000000);
    d->service = NULL;
    d->tries = d->status = 0;
    d->tried = 0;
    d->answer_bytes = d->content_bytes = 0;
    d->failed = d->in_content = false;
    d->kept = true;
    d->why[0] = '\0';
}

static void begin_request(struct downstream *d, struct http_head *head)
{
    reset(d);
    snprintf(d->line, sizeof d->line, "%.*s %.*s", (int)head->method.length, head->method.at,
             (int)head->target.length, head->target.at);
    d->last = !head->keep_alive || (d->inbound && state.draining);
    d->old = head->minor == 0;
    d->head_only = http_is(head->method, "HEAD");
    d->idempotent = retry_is_idempotent(head->method.at, head->method.length);
    http_body_of_request(&d->body, head);
    d->in_content = !d->body.done;
    trace_begin(&d->trace, head);
    if (!d->in_content)
        link_pause(&d->link); // the next request waits until this one is answered
    if (!d->inbound)
        d->service = services_find(head->host);
    if (!d->service && d->wanted.sin_family == AF_INET)
        d->service = services_at(&d->wanted);
    if (refuse(d, head))
        return;
    if (d->service)
        retry_budget_add(&d->service->budget, &settings.retry);
    if (request_head_write(d, head))
        try_begin(d);
    else
        downstream_answer(d, 503, "", "no memory for the request");
}

// There is no request: its head is malformed, or has not come.
static void refuse_head(struct downstream *d, const char *line, int status, const char *why)
{
    reset(d);
    snprintf(d->line, sizeof d->line, "%s", line);
    d->last = true;
    downstream_answer(d, status, "", why);
}

static size_t take_content(struct downstream *d, const char *bytes, size_t length)
{
    if (!d->kept)
        buffer_compact(&d->request);
    ssize_t used = pass_content(&d->body, bytes, length, CHUNKS_AS_THEY_ARE, &d->request,
                                &d->content_bytes);
    if (used < 0) {
        upstream_give_up(d);
        if (d->status) // its answer has begun
            d->cut = d->answered = true;
        else
            downstream_answer(d, (int)-used, "", "its content is malformed");
        return length;
    }
    d->in_content = !d->body.done;
    d->kept = d->kept && d->request.length <= REPEAT_BYTES;
    if (!d->in_content || buffer_left(&d->request) > WAITING_BYTES)
        link_pause(&d->link);
    if (!d->in_content) // a long upload is not late: its tries have their time from now on
        d->give_up_ns = downstream_now(d) + settings.timeout_ms * INT64_C(1000000);
    if (!d->in_content && d->stage == STAGE_ANSWER)
        try_deadline(d, settings.answer_ms);
    if (d->up)
        link_wake(&d->up->link);
    return (size_t)used;
}

static size_t take(struct link *l, const char *bytes, size_t length)
{
    static struct http_head head;
    struct downstream *d = downstream_of(l);
    int result;
    if (d->in_content && !d->answered)
        return take_content(d, bytes, length);
    if (d->stage > STAGE_HEAD) {
        link_pause(l);
        return 0;
    }
    if (d->inbound)
        result = http_read_secure_request(bytes, length, &head);
    else
        result = http_read_request(bytes, length, &head);
    if (result > 0) {
        begin_request(d, &head);
        return head.length;
    }
    if (result < 0) {
        refuse_head(d, "(malformed)", -result, head.why);
        return length;
    }
    if (d->stage == STAGE_IDLE) { // one deadline for the head, however its bytes come
        leave_idle(d);
        d->stage = STAGE_HEAD;
        conn_deadline(conn_of(l), settings.head_ms);
    }
    return 0;
}

// ---- what else happens to a connection -----------------------------------------------------

// Passes the answer on.
static bool send_answer(struct downstream *d)
{
    size_t before = d->answer.at;
    bool more = link_send(&d->link, &d->answer);
    if (d->answer.at == before)
        return false;
    if (!d->answered)
        conn_deadline(conn_of(&d->link), settings.idle_ms);
    if (more)
        return true;
    buffer_clear(&d->answer);
    if (d->up && conn_of(&d->up->link)->paused) {
        link_resume(&d->up->link); // there is room for more of it
        link_wake(&d->up->link);
    }
    return false;
}

static bool produce(struct link *l)
{
    struct downstream *d = downstream_of(l);
    if (d->failed)
        try_failed(d);
    if (d->stage == STAGE_CONNECT && d->up && d->up->ready)
        try_wait(d);
    bool more = send_answer(d);
    if (d->answered && !buffer_left(&d->answer))
        end_request(d);
    else if (d->stage == STAGE_IDLE && d->last) // downstream_make_room()
        link_close(l, true);
    return more;
}

// No more requests will come.
static void ended(struct link *l)
{
    struct downstream *d = downstream_of(l);
    d->last = true;
    if (d->in_content)
        link_close(l, false); // a part of the request will never come
    else if (d->stage <= STAGE_HEAD)
        link_close(l, true);
}

static void timeout(struct link *l)
{
    struct downstream *d = downstream_of(l);
    bool slow = d->in_content && !conn_of(l)->paused; // the sidecar waits for the client
    if (d->stage == STAGE_IDLE) {
        link_close(l, true);
    } else if (d->stage == STAGE_HEAD) {
        refuse_head(d, "(no head)", 408, "the request's head takes too long");
    } else if (d->stage == STAGE_BACKOFF && downstream_now(d) < d->give_up_ns) {
        try_begin(d);
    } else if (d->stage == STAGE_BACKOFF) {
        downstream_answer(d, 504, "", "no answer in time, with all tries");
    } else if (d->stage == STAGE_SENDING) {
        log_line("%s: the answer is cut: silence", d->line);
        upstream_give_up(d);
        d->cut = d->answered = true;
        buffer_clear(&d->answer);
    } else if (d->in_content && d->content_bytes >= CONTENT_BYTES) { // it goes on
        d->content_bytes = 0;
        conn_deadline(conn_of(l), CONTENT_MS);
    } else if (slow) {
        upstream_give_up(d);
        downstream_answer(d, 408, "", "the request's content takes too long");
    } else {
        try_give_up(d);
    }
}

static void stop(struct link *l)
{
    struct downstream *d = downstream_of(l);
    d->last = true;
    if (d->stage <= STAGE_HEAD)
        link_close(l, true);
}

static void closed(struct link *l)
{
    struct downstream *d = downstream_of(l);
    leave_idle(d);
    if (d->stage > STAGE_HEAD) {
        upstream_give_up(d);
        try_end(d);
        d->status = 0;
        snprintf(d->why, sizeof d->why, "who asked is gone");
        record(d);
    }
    buffer_free(&d->request);
    buffer_free(&d->answer);
}

const struct link_kind downstream_kind = {.opened = opened,
                                          .established = established,
                                          .take = take,
                                          .produce = produce,
                                          .ended = ended,
                                          .timeout = timeout,
                                          .stop = stop,
                                          .closed = closed};
