// app.c: a service as a programmer would like to write it: it answers requests, and asks other
// services. It knows nothing of TLS, of other instances, of retries or of metrics: it speaks
// plain HTTP to its sidecar, on this machine.
//
// Run:    ./app                           a service that asks no other one
//         ./app --name shop --port 8135 --calls stock,price --sidecar 127.0.0.1:8104
// Watch:  curl localhost:8134/headers shows what it gets. A target may have ?status=503 (the
//         answer's status), ?ms=100 (how long the work takes); /count says how many requests
//         there were, the questions for /count left out.
//
// Read answer_request() first, then ask(). What any framework does is in parts/app_server.c.
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_server.h"
#include "fetch.h"
#include "options.h"

#define CALL_MS 10000

static const char *name = "hello", *calls = "", *sidecar = "127.0.0.1:8104";
static struct sockaddr_storage sidecar_address;
static bool forgets_trace;
static atomic_long requests;

// Asks another service, and appends what it says. The app copies the two fields of the trace
// from the request that it serves: only the app knows that one is because of the other.
static void ask(const char *service, const struct http_head *asked, char *text, size_t size)
{
    struct fetch f;
    char fields[2000];
    size_t used = strlen(text);
    int length = snprintf(fields, sizeof fields, "Host: %s\r\n", service);
    static const char *const trace[] = {"traceparent", "tracestate"};
    for (int i = 0; i < 2 && !forgets_trace; i++) {
        struct http_text value = http_field(asked, trace[i]);
        if (value.length && value.length < 600)
            length += snprintf(fields + length, sizeof fields - (size_t)length, "%s: %.*s\r\n",
                               trace[i], (int)value.length, value.at);
    }
    enum fetch_result result = fetch_open(&f, &sidecar_address, now_ns() + CALL_MS * 1000000LL);
    if (result == FETCH_OK)
        result = fetch_send(&f, "GET / HTTP/1.1\r\n%s\r\n", fields);
    if (result == FETCH_OK)
        result = fetch_answer(&f);
    if (result == FETCH_OK)
        snprintf(text + used, size - used, "%s: %d: %.*s", service, f.head.status,
                 (int)f.content.length, f.content.at);
    else
        snprintf(text + used, size - used, "%s: %s\n", service, fetch_text[result]);
    fetch_close(&f);
}

static void ask_all(const struct http_head *head, char *text, size_t size)
{
    char list[200], *rest = list, *service;
    snprintf(list, sizeof list, "%s", calls);
    while ((service = strsep(&rest, ",")))
        if (*service)
            ask(service, head, text, size);
}

static void list_fields(const struct http_head *head, char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < head->field_count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%.*s: %.*s\n",
                                 (int)head->fields[i].name.length, head->fields[i].name.at,
                                 (int)head->fields[i].value.length, head->fields[i].value.at);
}

static void answer_request(struct http_server *http, const struct http_request *request,
                           struct http_out *out)
{
    static _Thread_local char text[APP_ANSWER_BYTES / 2];
    uint64_t ms, status;
    if (!http_number(http_parameter(request->query, "ms"), 60000, &ms))
        ms = 0;
    if (!http_number(http_parameter(request->query, "status"), 599, &status) || status < 200)
        status = 200;
    text[0] = '\0';
    if (http_is(request->path, "/count")) {
        snprintf(text, sizeof text, "%ld\n", atomic_load(&requests));
        http_server_answer(http, out, 200, "text/plain", "",
                           (struct http_text){text, strlen(text)});
        return;
    }
    atomic_fetch_add(&requests, 1);
    sleep_ms((double)ms);
    if (http_is(request->path, "/headers"))
        list_fields(&request->head, text, sizeof text);
    else if (request->content.length && request->content.length < sizeof text)
        snprintf(text, sizeof text, "%.*s", (int)request->content.length, request->content.at);
    else
        snprintf(text, sizeof text, "%s\n", name);
    ask_all(&request->head, text, sizeof text);
    http_server_answer(http, out, (int)status, "text/plain", "",
                       (struct http_text){text, strlen(text)});
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8134;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: any free one"},
        {"name", OPTION_TEXT, &name, .help = "what it says in its answers"},
        {"calls", OPTION_TEXT, &calls, .help = "SERVICE,... that it asks for each request"},
        {"sidecar", OPTION_TEXT, &sidecar, .help = "ADDRESS:PORT of its own sidecar"},
        {"forgets-trace", OPTION_FLAG, &forgets_trace, .help = "does not copy traceparent"},
        {0}};
    options_parse(argc, argv, &(struct command){"", "A plain HTTP service.", options});
    const char *colon = strrchr(sidecar, ':');
    if (!colon)
        options_reject("--sidecar takes ADDRESS:PORT, not '%s'", sidecar);
    char sidecar_host[NET_NAME];
    snprintf(sidecar_host, sizeof sidecar_host, "%.*s", (int)(colon - sidecar), sidecar);
    net_address(sidecar_host, atoi(colon + 1), SOCK_STREAM, &sidecar_address);
    app_serve(host, port, answer_request);
    printf("stopped: requests %ld\n", atomic_load(&requests));
    return 0;
}
