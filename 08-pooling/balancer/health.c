// health.c: which backends can take requests? Active checks ask each of them, again and again;
// passive ones look at what becomes of the clients' requests, and cost nothing.
//
// Read judge() and health_failed() first.
#include <stdio.h>

#include "balancer.h"
#include "log.h"

struct check_leg {
    struct leg leg;
    struct backend *backend;
    bool passed;
};

static const struct leg_kind check_kind;

static struct check_leg *check_of(struct leg *leg)
{
    return (struct check_leg *)leg; // it begins with it
}

// A check is over. `fall` bad ones in a row take the backend out, `rise` good ones bring it
// back: one lost packet is not the end of a server.
static void judge(struct backend *b, bool good)
{
    b->good++;
    b->bad++;
    if (good)
        b->bad = 0;
    else
        b->good = 0;
    bool was_down = b->down;
    if (b->bad >= settings.fall)
        b->down = true;
    else if (b->good >= settings.rise)
        b->down = false;
    if (b->down != was_down)
        log_line("backend %s: %s, by %d checks", b->name, b->down ? "down" : "up",
                 b->down ? b->bad : b->good);
    if (was_down && !b->down)
        b->failures = 0;
}

void health_failed(struct backend *b, const char *why)
{
    log_line("backend %s: %s", b->name, why);
    b->failures++;
    if (settings.eject_after == 0 || b->failures < settings.eject_after)
        return;
    if (b->ejected_until_ns <= leg_now())
        log_line("backend %s: ejected for %d ms", b->name, settings.eject_ms);
    b->ejected_until_ns = leg_now() + settings.eject_ms * INT64_C(1000000);
}

void health_succeeded(struct backend *b)
{
    b->failures = 0;
    b->ejected_until_ns = 0;
}

// ---- one check -----------------------------------------------------------------------------

// At layer 4 a backend is good if it takes the connection; at layer 7 it has to answer 2xx or
// 3xx in time.
static void connected(struct leg *leg)
{
    char request[300];
    if (settings.layer == 4) {
        check_of(leg)->passed = true;
        leg_abort(leg, false);
        return;
    }
    int length = snprintf(request, sizeof request,
                          "GET %.200s HTTP/1.1\r\nHost: %s\r\nUser-Agent: "
                          "workbench-check\r\nConnection: close\r\n\r\n",
                          settings.check_path, check_of(leg)->backend->name);
    leg_send(leg, request, (size_t)length);
    leg_deadline(leg, settings.check_timeout_ms);
}

static size_t received(struct leg *leg, const char *bytes, size_t length)
{
    struct http_head head;
    int result = http_read_response(bytes, length, &head);
    if (result == 0)
        return 0;
    check_of(leg)->passed = result > 0 && head.status >= 200 && head.status < 400;
    leg_abort(leg, false);
    return length;
}

static void over(struct leg *leg)
{
    leg_abort(leg, false);
}

static void closed(struct leg *leg)
{
    check_of(leg)->backend->check = NULL;
    if (!leg_is_stopping())
        judge(check_of(leg)->backend, check_of(leg)->passed);
}

static const struct leg_kind check_kind = {.bytes = sizeof(struct check_leg),
                                           .received = received,
                                           .connected = connected,
                                           .ended = over,
                                           .timeout = over,
                                           .closed = closed};

static void begin_check(struct backend *b)
{
    b->next_check_ns = leg_now() + settings.check_ms * INT64_C(1000000);
    if (b->check)
        return; // the one before has not ended
    b->check = leg_connect(&check_kind, &b->address, settings.check_timeout_ms);
    if (b->check)
        check_of(b->check)->backend = b;
    else
        judge(b, false);
}

int64_t health_tick(void)
{
    int64_t next_ns = NEVER;
    if (settings.check_ms == 0 || leg_is_stopping())
        return NEVER;
    for (struct backend *b = backends; b < backends + backend_count; b++) {
        if (b->next_check_ns <= leg_now())
            begin_check(b);
        if (b->next_check_ns < next_ns)
            next_ns = b->next_check_ns;
    }
    return next_ns;
}
