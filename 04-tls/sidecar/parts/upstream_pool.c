// upstream_pool.c: connections that wait for their next request; see upstream.h. Read
// upstream_take() first.
#include "upstream.h"

void upstream_leave_idle(struct upstream *u)
{
    struct upstream **at = &u->endpoint->idle;
    while (*at && *at != u)
        at = &(*at)->next;
    if (*at)
        *at = u->next;
}

void upstream_join_idle(struct upstream *u)
{
    u->next = u->endpoint->idle;
    u->endpoint->idle = u;
    u->reused = true;
    conn_deadline(conn_of(&u->link), settings.keep_ms);
}

// A connection that began with older certificates is not used again.
bool upstream_is_fresh(const struct upstream *u)
{
    return !u->link.secure || u->generation == identity_generation;
}

bool upstream_take(struct endpoint *endpoint, struct downstream *d)
{
    static struct link_port to_app = {.kind = &upstream_kind},
                            to_peer = {.kind = &upstream_kind, .secure = &identity_outbound};
    while (endpoint->idle) {
        struct upstream *u = endpoint->idle;
        upstream_leave_idle(u);
        u->given_up = !upstream_is_fresh(u);
        link_wake(&u->link);
        if (u->given_up)
            continue;
        u->down = d;
        d->up = u;
        return true;
    }
    if (d->inbound)
        return link_connect(&to_app, &endpoint->address, endpoint, d);
    return link_connect(&to_peer, &endpoint->address, endpoint, d);
}

void upstream_give_up(struct downstream *d)
{
    link_forget(d); // it may be waiting for a connection that is still to be opened
    if (d->up) {
        d->up->down = NULL;
        d->up->given_up = true;
        link_wake(&d->up->link);
    }
    d->up = NULL;
}

void upstream_close_idle(struct endpoint *endpoint)
{
    while (endpoint->idle) {
        struct upstream *u = endpoint->idle;
        upstream_leave_idle(u);
        u->given_up = true;
        link_wake(&u->link);
    }
}
