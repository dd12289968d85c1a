// request.c: see request.h. Read request_read() first.
#include "request.h"

#include "http.h"

static void refuse(struct request *request, int status)
{
    request->route = REFUSED;
    request->status = status;
}

static void read_ms(struct request *request, struct http_text query)
{
    uint64_t ms = 0;
    if (!http_number(http_parameter(query, "ms"), REQUEST_MS_MAX, &ms))
        refuse(request, 400);
    request->ms = (int)ms;
}

static void read_counting(struct request *request, struct http_text query)
{
    struct http_text how = http_parameter(query, "how"), times = http_parameter(query, "times");
    uint64_t count = 1;
    bool good = !times.at || http_number(times, REQUEST_TIMES_MAX, &count);
    request->times = (int)count;
    request->how = http_is(how, "mutex") ? MUTEX : http_is(how, "atomic") ? ATOMIC : PLAIN;
    if (!good || (how.at && request->how == PLAIN && !http_is(how, "plain")))
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
    struct http_text path, query;
    http_split_target(target, &path, &query);
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

bool request_began(const char *bytes, size_t length)
{
    while (length > 0 && (*bytes == '\r' || *bytes == '\n')) {
        bytes++;
        length--;
    }
    return length > 0;
}
