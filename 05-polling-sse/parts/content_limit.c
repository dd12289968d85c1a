// content_limit.c: see content_limit.h.
#include "content_limit.h"

#include <string.h>

static struct connection *places[CONTENT_PLACES]; // the one that has waited longest is first
static size_t taken;                              // how many of the places

void content_limit_leave(struct connection *c)
{
    size_t i = 0;
    if (!c->has_place)
        return;
    while (places[i] != c)
        i++;
    taken--;
    memmove(places + i, places + i + 1, (taken - i) * sizeof *places);
    c->has_place = false;
}

// Frees the memory of the request that has waited longest. The loop calls one connection at a
// time, so that connection refuses its request itself when it is woken.
static void evict_first(void)
{
    struct connection *first = places[0];
    content_limit_leave(first);
    http_server_done(&first->http);
    first->evicted = true;
    conn_wake(&first->conn);
}

void content_limit_update(struct connection *c)
{
    if (!c->http.in_content) {
        content_limit_leave(c);
        return;
    }
    if (c->has_place)
        return;
    if (taken == CONTENT_PLACES)
        evict_first();
    places[taken++] = c;
    c->has_place = true;
}
