// refuse.c: which requests the sidecar answers itself, before any try; see sidecar.h. Read
// refuse() first.
#include "sidecar.h"

#include <stdio.h>
#include <string.h>

#include "rate.h"

static bool is_allowed(const char *peer)
{
    for (int i = 0; i < settings.allowed_count; i++)
        if (!strcmp(settings.allowed[i], peer))
            return true;
    return settings.allowed_count == 0;
}

static bool say(struct downstream *d, int status, const char *fields, const char *why)
{
    downstream_answer(d, status, fields, why);
    return true;
}

// The app has not got the request, so its client may send it again.
static bool say_not_delivered(struct downstream *d, const char *why)
{
    return say(d, 503, HOP_FAILED ": " NOT_DELIVERED "\r\n", why);
}

// For requests of another sidecar: is it allowed, is it its turn, is the app there?
static bool refuse_inbound(struct downstream *d)
{
    if (!is_allowed(d->link.peer))
        return say(d, 403, "", "this identity is not on the list of those who may ask");
    int seconds = 0;
    if (settings.rate)
        seconds = rate_take(d->link.peer, settings.rate, settings.burst, downstream_now(d));
    if (seconds) {
        char field[40];
        metrics_limited(d);
        snprintf(field, sizeof field, "Retry-After: %d\r\n", seconds);
        return say(d, 429, field, "more requests than this identity may send");
    }
    if (!state.app_up)
        return say_not_delivered(d, "the app does not take connections");
    if (state.app.active >= settings.app_requests)
        return say_not_delivered(d, "the app has as many requests as it may have");
    return false;
}

bool refuse(struct downstream *d, const struct http_head *head)
{
    if (http_is(head->method, "CONNECT"))
        return say(d, 501, "", "this proxy makes no tunnels");
    int status = forward_refuses(head); // because of Max-Forwards
    if (status)
        return say(d, status, "", "the request may go no further");
    if (d->inbound)
        return refuse_inbound(d);
    if (!services_known())
        return say(d, 503, "", "the file of services could not be read yet");
    if (!d->service)
        return say(d, 502, "", "there is no service of this name");
    return false;
}
