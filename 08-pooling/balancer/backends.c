// backends.c: see backends.h.
#include "backends.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "crc32c.h"
#include "leg.h"
#include "options.h"

#define NEW_VALUE 0.2 // how much the newest response time counts in the average

struct backend backends[BACKENDS_MAX];
struct group groups[GROUPS_MAX] = {{.path = "/"}};
int backend_count, group_count = 1;

void backends_begin_group(const char *text)
{
    const char *path = strchr(text, '/');
    if (group_count == 1 && groups[0].count == 0)
        group_count = 0; // the group that is there at first has no use
    if (group_count == GROUPS_MAX)
        options_reject("--for: at most %d groups", GROUPS_MAX);
    struct group *group = &groups[group_count++];
    if (!path || strlen(path) >= sizeof group->path ||
        path - text >= (ptrdiff_t)sizeof group->host)
        options_reject("--for takes [HOST]/PATH, not '%s'", text);
    snprintf(group->host, sizeof group->host, "%.*s", (int)(path - text), text);
    snprintf(group->path, sizeof group->path, "%s", path);
}

void backends_add(const char *text)
{
    char host[NET_NAME];
    int port = 0, weight = 1, used = 0;
    int parts = sscanf(text, "%47[^:,]:%5d%n,%4d%n", host, &port, &used, &weight, &used);
    if (parts < 2 || text[used] || port < 1 || port > 65535 || weight < 0 ||
        weight > WEIGHT_MAX)
        options_reject("--backend takes HOST:PORT[,WEIGHT], with a weight up to %d, not '%s'",
                       WEIGHT_MAX, text);
    if (backend_count == BACKENDS_MAX)
        options_reject("--backend: at most %d of them", BACKENDS_MAX);
    struct backend *b = &backends[backend_count];
    struct group *group = &groups[group_count - 1];
    net_address(host, port, SOCK_STREAM, &b->address);
    snprintf(b->name, sizeof b->name, "%.47s:%d", host, port);
    snprintf(b->id, sizeof b->id, "%08x", crc32c(0, b->name, strlen(b->name)));
    b->weight = weight;
    b->index = backend_count++;
    group->members[group->count++] = b;
}

void backends_check_options(void)
{
    for (int i = 0; i < group_count; i++)
        if (groups[i].count == 0)
            options_reject("%s%s has no --backend", groups[i].host, groups[i].path);
}

// A path "/api" fits "/api" and "/api/x", not "/apis"; "/api/" fits what begins with it.
static bool path_fits(const struct group *group, struct http_text path)
{
    size_t length = strlen(group->path);
    if (path.length < length || memcmp(path.at, group->path, length))
        return false;
    return group->path[length - 1] == '/' || path.length == length || path.at[length] == '/';
}

// A host fits without its port, whatever the case of its letters.
static bool host_fits(const struct group *group, struct http_text host)
{
    size_t length = strlen(group->host);
    if (length == 0)
        return true;
    return host.length >= length && !strncasecmp(host.at, group->host, length) &&
           (host.length == length || host.at[length] == ':');
}

struct group *backends_find_group(struct http_text host, struct http_text path)
{
    struct group *best = NULL;
    size_t best_rank = 0;
    for (struct group *g = groups; g < groups + group_count; g++) {
        size_t rank = strlen(g->path) + sizeof g->path * (*g->host != '\0');
        if (rank > best_rank && host_fits(g, host) && path_fits(g, path)) {
            best = g;
            best_rank = rank;
        }
    }
    return best;
}

struct backend *backends_find(struct http_text id)
{
    for (struct backend *b = backends; b < backends + backend_count; b++)
        if (http_is(id, b->id) || http_is(id, b->name))
            return b;
    return NULL;
}

bool backend_is_healthy(const struct backend *backend)
{
    return !backend->down && backend->ejected_until_ns <= leg_now();
}

// ---- averages ------------------------------------------------------------------------------

// What is left of a value after the time since *since_ns, which becomes now.
static double faded(double value, int64_t *since_ns, double half_ms)
{
    double ms = (double)(leg_now() - *since_ns) / 1e6;
    *since_ns = leg_now();
    if (ms < 1)
        return value;
    return value / (1 + ms / half_ms);
}

void backend_fade(struct backend *backend)
{
    backend->response_us = faded(backend->response_us, &backend->response_ns, RESPONSE_HALF_MS);
    backend->bytes_second = faded(backend->bytes_second, &backend->bytes_ns, BYTES_HALF_MS);
}

void backend_answered(struct backend *backend, int64_t took_ns)
{
    double us = (double)took_ns / 1e3;
    if (backend->response_us == 0)
        backend->response_us = us;
    backend->response_us += NEW_VALUE * (us - backend->response_us);
    backend->response_ns = leg_now();
}

void backend_moved(struct backend *backend, size_t bytes)
{
    backend->bytes_second =
        faded(backend->bytes_second, &backend->bytes_ns, BYTES_HALF_MS) + (double)bytes;
}
