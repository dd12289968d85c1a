// refuse.c: see refuse.h. Read refuse() first.
#include "refuse.h"

#include <stdio.h>
#include <string.h>

#include "metrics.h"
#include "rate.h"

static bool is_allowed(const char *peer)
{
    for (int i = 0; i < settings.allowed_count; i++)
        if (!strcmp(settings.allowed[i], peer))
            return true;
    return settings.allowed_count == 0;
}

static bool say(struct refusal *refusal, int status, const char *why)
{
    refusal->status = status;
    refusal->why = why;
    return true;
}

// The app has not got the request, so its client may send it again.
static bool say_not_delivered(struct refusal *refusal, const char *why)
{
    snprintf(refusal->fields, sizeof refusal->fields, "%s: %s\r\n", HOP_FAILED, NOT_DELIVERED);
    return say(refusal, 503, why);
}

// For requests of another sidecar: is it allowed, is it its turn, is the app there?
static bool refuse_inbound(const struct downstream *d, int64_t now_ns, struct refusal *refusal)
{
    if (!is_allowed(d->link.peer))
        return say(refusal, 403, "this identity is not on the list of those who may ask");
    int seconds = 0;
    if (settings.rate)
        seconds = rate_take(d->link.peer, settings.rate, settings.burst, now_ns);
    if (seconds) {
        metrics_limited(d);
        snprintf(refusal->fields, sizeof refusal->fields, "Retry-After: %d\r\n", seconds);
        return say(refusal, 429, "more requests than this identity may send");
    }
    if (!state.app_up)
        return say_not_delivered(refusal, "the app does not take connections");
    if (state.app.active >= settings.app_requests)
        return say_not_delivered(refusal, "the app has as many requests as it may have");
    return false;
}

bool refuse(const struct downstream *d, const struct http_head *head, int64_t now_ns,
            struct refusal *refusal)
{
    struct http_text forwards = http_field(head, "max-forwards");
    bool counts = http_is(head->method, "OPTIONS") || http_is(head->method, "TRACE");
    uint64_t number;
    *refusal = (struct refusal){0};
    if (http_is(head->method, "CONNECT"))
        return say(refusal, 501, "this proxy makes no tunnels");
    bool ends_here = counts && http_number(forwards, 1000000, &number) && number == 0;
    if (ends_here && http_is(head->method, "OPTIONS")) // RFC 9110 §7.6.2
        return say(refusal, 204, "the request may go no further");
    if (ends_here)
        return say(refusal, 501, "the request may go no further");
    if (d->inbound)
        return refuse_inbound(d, now_ns, refusal);
    if (!services_known())
        return say(refusal, 503, "the file of services could not be read yet");
    if (!d->service)
        return say(refusal, 502, "there is no service of this name");
    return false;
}
