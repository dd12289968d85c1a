// admin.c: the port for tools that watch the sidecar:
//
//     GET /metrics   for Prometheus
//     GET /ready     200 if the app can be asked through this sidecar, else 503 and why
//     GET /live      200: the program runs
#include "sidecar.h"

#include <string.h>

#include "http_server.h"

#define IDLE_MS    30000
#define REQUEST_MS 5000

struct admin {
    struct link link;
    struct http_server http;
    struct buffer answer;
};

const size_t admin_bytes = sizeof(struct admin);

static struct admin *admin_of(struct link *l)
{
    return (struct admin *)l; // it begins with it
}

// NULL: the sidecar is ready for requests to its app; else half a sentence why not.
static const char *not_ready(void)
{
    if (state.draining)
        return "the sidecar is about to stop";
    if (!services_known())
        return "the file of services could not be read yet";
    if (!state.app_up)
        return "the app does not take connections";
    return NULL;
}

static void opened(struct link *l, void *target, void *who)
{
    (void)target, (void)who;
    conn_deadline(conn_of(l), IDLE_MS);
}

// Appends a whole answer.
static void answer(struct admin *a, int status, const char *type, struct http_text content)
{
    char bytes[400];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    http_server_head(&a->http, &out, status, (int64_t)content.length);
    http_put_field(&out, "Content-Type", type);
    http_put_text(&out, "\r\n");
    buffer_put(&a->answer, bytes, out.length);
    if (!a->http.head_only)
        buffer_put(&a->answer, content.at, content.length);
}

static void answer_text(struct admin *a, int status, const char *text)
{
    answer(a, status, "text/plain", (struct http_text){text, strlen(text)});
}

static void answer_metrics(struct admin *a)
{
    struct buffer text = {0};
    if (metrics_write(&text))
        answer(a, 200, "text/plain; version=0.0.4; charset=utf-8",
               (struct http_text){text.bytes, text.length});
    else
        answer_text(a, 500, "no memory\n");
    buffer_free(&text);
}

static void answer_request(struct admin *a, const struct http_request *request)
{
    bool get = http_is(request->head.method, "GET") || http_is(request->head.method, "HEAD");
    const char *why = not_ready();
    if (!get)
        answer_text(a, 405, "only GET and HEAD\n");
    else if (http_is(request->path, "/metrics"))
        answer_metrics(a);
    else if (http_is(request->path, "/live") || (http_is(request->path, "/ready") && !why))
        answer_text(a, 200, "yes\n");
    else if (http_is(request->path, "/ready"))
        answer_text(a, 503, why);
    else
        answer_text(a, 404, "there are /metrics, /ready and /live\n");
}

static size_t take(struct link *l, const char *bytes, size_t length)
{
    struct admin *a = admin_of(l);
    struct http_request request;
    char early[400]; // what http_server_take() writes itself
    struct http_out out = {early, sizeof early, 0, false};
    if (buffer_left(&a->answer) > WAITING_BYTES)
        return 0;
    size_t used = http_server_take(&a->http, bytes, length, &request, &out);
    buffer_put(&a->answer, early, out.length);
    out.length = 0;
    if (request.status == HTTP_MORE) {
        conn_deadline(conn_of(l), REQUEST_MS);
        return used;
    }
    if (request.status == HTTP_WHOLE)
        answer_request(a, &request);
    else
        http_server_refuse(&a->http, &out, request.status, "", NULL);
    buffer_put(&a->answer, early, out.length);
    http_server_done(&a->http);
    conn_deadline(conn_of(l), IDLE_MS);
    if (!a->http.keep_alive)
        link_pause(l);
    return used;
}

static bool produce(struct link *l)
{
    struct admin *a = admin_of(l);
    bool more = link_send(l, &a->answer);
    if (buffer_left(&a->answer))
        return more;
    buffer_clear(&a->answer);
    if (conn_of(l)->paused)
        link_close(l, true);
    return false;
}

static void close_it(struct link *l)
{
    link_close(l, true);
}

static void closed(struct link *l)
{
    http_server_done(&admin_of(l)->http);
    buffer_free(&admin_of(l)->answer);
}

const struct link_kind admin_kind = {.opened = opened,
                                     .take = take,
                                     .produce = produce,
                                     .ended = close_it,
                                     .timeout = close_it,
                                     .stop = close_it,
                                     .closed = closed};
