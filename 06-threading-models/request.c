// request.c: see request.h. Read request_read() first.
#include "request.h"

#include <string.h>

#include "http.h"

static void refuse(struct request *request, int status)
{
    request->route = REFUSED;
    request->status = status;
}

// The value called `name` in a query; at NULL if there is none.
static struct http_text parameter(struct http_text query, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = query.at, *end = at + query.length, *next; at < end; at = next + 1) {
        next = memchr(at, '&', (size_t)(end - at));
        next = next ? next : end;
        if ((size_t)(next - at) > length && !memcmp(at, name, length) && at[length] == '=')
            return (struct http_text){at + length + 1, (size_t)(next - at) - length - 1};
    }
    return (struct http_text){NULL, 0};
}

// A whole number up to `max`; -1: it is not one.
static int number(struct http_text text, int max)
{
    long sum = text.length ? 0 : -1;
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || sum > max)
            return -1;
        sum = sum * 10 + (text.at[i] - '0');
    }
    return sum <= max ? (int)sum : -1;
}

static void read_ms(struct request *request, struct http_text query)
{
    request->ms = number(parameter(query, "ms"), REQUEST_MS_MAX);
    if (request->ms < 0)
        refuse(request, 400);
}

static void read_counting(struct request *request, struct http_text query)
{
    struct http_text how = parameter(query, "how"), times = parameter(query, "times");
    request->times = times.at ? number(times, REQUEST_TIMES_MAX) : 1;
    request->how = http_is(how, "mutex") ? MUTEX : http_is(how, "atomic") ? ATOMIC : PLAIN;
    if (request->times < 0 || (how.at && request->how == PLAIN && !http_is(how, "plain")))
        refuse(request, 400);
}

static const struct {
    const char *path;
    enum route route;
    void (*read_query)(struct request *request, struct http_text query);
} routes[] = {{"/cheap", CHEAP, NULL}, {"/", CHEAP, NULL},     {"/io", IO, read_ms},
              {"/cpu", CPU, read_ms},  {"/who", WHO, NULL},    {"/count", COUNT, read_counting},
              {"/stats", STATS, NULL}, {"/crash", CRASH, NULL}};

static void find_route(struct request *request, struct http_text target)
{
    const char *mark = memchr(target.at, '?', target.length), *end = target.at + target.length;
    struct http_text path = {target.at, mark ? (size_t)(mark - target.at) : target.length};
    struct http_text query = {mark ? mark + 1 : end, mark ? (size_t)(end - mark) - 1 : 0};
    refuse(request, 404);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (http_is(path, routes[i].path)) {
            request->route = routes[i].route;
            if (routes[i].read_query)
                routes[i].read_query(request, query);
            return;
        }
}

size_t request_read(const char *bytes, size_t length, struct request *request)
{
    struct http_head head;
    int result = http_read_request(bytes, length, &head);
    if (result == 0 && length < REQUEST_BYTES)
        return 0;
    *request = (struct request){.head_only = http_is(head.method, "HEAD")};
    if (result <= 0) {
        refuse(request, result ? -result : 431);
        return length;
    }
    request->keep_alive = head.keep_alive;
    request->old = head.minor == 0;
    if (head.chunked || head.content_length > 0) { // content is not wanted here: do not read it
        request->keep_alive = false;
        refuse(request, 413);
        return length;
    }
    if (!request->head_only && !http_is(head.method, "GET"))
        refuse(request, 405);
    else
        find_route(request, head.target);
    return head.length;
}
