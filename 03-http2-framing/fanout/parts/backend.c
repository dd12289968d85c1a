// backend.c: see backend.h.
#include "backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"

struct backend backends[BACKENDS_MAX];
int backend_count;
option_call backends_option = backends_add;
const char backends_help[] = "HOST:PORT of each (default 127.0.0.1:9001, 9002, 9003)";

bool backend_split(const char *text, char host[256], int *port)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || colon - text > 255)
        return false;
    snprintf(host, 256, "%.*s", (int)(colon - text), text);
    if (*host == '[' && colon[-1] == ']') // [::1]:8003
        snprintf(host, 256, "%.*s", (int)(colon - text) - 2, text + 1);
    *port = atoi(colon + 1);
    return *port > 0 && *port < 65536;
}

void backends_add(const char *text)
{
    char host[256];
    int port;
    if (!backend_split(text, host, &port))
        options_reject("--backend takes HOST:PORT, not '%s'", text);
    if (backend_count == BACKENDS_MAX)
        options_reject("there may be %d backends", BACKENDS_MAX);
    struct backend *backend = &backends[backend_count++];
    snprintf(backend->name, sizeof backend->name, "%s", text);
    backend->address_length = net_address(host, port, SOCK_STREAM, &backend->address);
}

void backends_default(void)
{
    if (backend_count > 0)
        return;
    backends_add("127.0.0.1:9001");
    backends_add("127.0.0.1:9002");
    backends_add("127.0.0.1:9003");
}

// Round robin: the backend behind the one that was chosen before.
struct backend *backend_pick(const struct backend *not_this, int64_t now_ns)
{
    static int next;
    for (int i = 0; i < backend_count; i++) {
        struct backend *backend = &backends[(next + i) % backend_count];
        bool other = backend != not_this || backend_count == 1;
        if (other && backend->down_until_ns <= now_ns) {
            next = (int)(backend - backends) + 1;
            return backend;
        }
    }
    if (backend_count == 0)
        return NULL;
    return &backends[next++ % backend_count];
}

void backend_enqueue(struct backend *backend, struct exchange *x)
{
    x->next = NULL;
    x->previous = backend->last;
    if (backend->last)
        backend->last->next = x;
    else
        backend->first = x;
    backend->last = x;
    backend->waiting++;
}

void backend_dequeue(struct backend *backend, struct exchange *x)
{
    if (x->previous)
        x->previous->next = x->next;
    else
        backend->first = x->next;
    if (x->next)
        x->next->previous = x->previous;
    else
        backend->last = x->previous;
    backend->waiting--;
}
