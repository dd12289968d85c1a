// request.c: see request.h. Read request_read() first.
#include "request.h"

#define TEXT(number)    TEXT_OF(number)
#define TEXT_OF(number) #number

static void refuse(struct request *request, int status, const char *why)
{
    request->route = REFUSED;
    request->status = status;
    request->why = why;
}

static void read_ms(struct request *request, struct http_text query)
{
    uint64_t ms = 0;
    if (!http_number(http_parameter(query, "ms"), REQUEST_MS_MAX, &ms))
        refuse(request, 400, "ms has to be a number from 0 to " TEXT(REQUEST_MS_MAX));
    request->ms = (int)ms;
}

static void read_kb(struct request *request, struct http_text query)
{
    struct http_text kb = http_parameter(query, "kb");
    uint64_t count = 4;
    if (kb.at && (!http_number(kb, DISK_KB_MAX, &count) || count == 0))
        refuse(request, 400, "kb has to be a number from 1 to 262144");
    request->kb = (int)count;
}

static void read_counting(struct request *request, struct http_text query)
{
    struct http_text how = http_parameter(query, "how"), times = http_parameter(query, "times");
    uint64_t count = 1;
    bool good = !times.at || http_number(times, REQUEST_TIMES_MAX, &count);
    request->times = (int)count;
    request->how = PLAIN;
    if (http_is(how, "mutex"))
        request->how = MUTEX;
    if (http_is(how, "atomic"))
        request->how = ATOMIC;
    if (!good)
        refuse(request, 400, "times has to be a number from 0 to " TEXT(REQUEST_TIMES_MAX));
    if (how.at && request->how == PLAIN && !http_is(how, "plain"))
        refuse(request, 400, "how has to be plain, mutex or atomic");
}

static const struct {
    const char *path;
    enum route route;
    void (*read_query)(struct request *request, struct http_text query);
} routes[] = {
    {"/cheap", CHEAP, NULL}, {"/", CHEAP, NULL},      {"/io", IO, read_ms},
    {"/cpu", CPU, read_ms},  {"/who", WHO, NULL},     {"/count", COUNT, read_counting},
    {"/stats", STATS, NULL}, {"/crash", CRASH, NULL}, {"/write", WRITE, read_kb}};

const char *route_path(enum route route)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (routes[i].route == route)
            return routes[i].path;
    return "?";
}

static void find_route(const struct http_request *http, struct request *request)
{
    refuse(request, 404, NULL);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (http_is(http->path, routes[i].path)) {
            request->route = routes[i].route;
            if (routes[i].read_query)
                routes[i].read_query(request, http->query);
            return;
        }
}

size_t request_read(struct http_server *http, const char *bytes, size_t length,
                    struct request *request)
{
    // No content is wanted here, so there is never a "100 Continue" to be sent.
    struct http_out nothing = {NULL, 0, 0, false};
    struct http_request parsed;
    size_t used = http_server_take(http, bytes, length, &parsed, &nothing);
    *request = (struct request){.route = REFUSED, .status = parsed.status};
    if (parsed.status == HTTP_WHOLE) {
        if (http->head_only || http_is(parsed.head.method, "GET"))
            find_route(&parsed, request);
        else
            refuse(request, 405, "this server knows GET and HEAD");
    } else if (parsed.status == 413) {
        request->why = "no request has content here";
    }
    http_server_done(http);
    return used;
}
