// status.c: the page /balancer: the state of all backends, as text or as JSON. For this machine
// only:
//
//     curl localhost:8108/balancer
//     curl localhost:8108/balancer?format=json
//     curl -X PUT 'localhost:8108/balancer?backend=localhost:9001&weight=5'
//     curl -X PUT 'localhost:8108/balancer?algorithm=random'
#include <stdarg.h>
#include <stdio.h>

#include "layer7.h"
#include "log.h"

#define PAGE_BYTES 16384

static char page[PAGE_BYTES];
static size_t page_length;

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void put(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(page + page_length, PAGE_BYTES - page_length, format, arguments);
    va_end(arguments);
    page_length += (size_t)length;
    if (page_length >= PAGE_BYTES)
        page_length = PAGE_BYTES - 1;
}

static const char *state_of(const struct backend *b)
{
    if (b->down)
        return "down";
    if (!backend_is_healthy(b))
        return "ejected";
    if (b->weight == 0)
        return "draining";
    return "up";
}

static int count_idle(const struct backend *b)
{
    int count = 0;
    for (const struct backend_leg *leg = b->idle; leg; leg = leg->next)
        count++;
    return count;
}

static void put_text(struct backend *b)
{
    put("%-22s %-8s %6d %6d %6d %9ld %7ld %9ld %8.1f %8.0f\n", b->name, state_of(b), b->weight,
        b->active, count_idle(b), b->requests, b->errors, b->connections, b->response_us / 1e3,
        b->bytes_second / 1e3);
}

static void put_json(struct backend *b)
{
    put("%s{\"name\":\"%s\",\"id\":\"%s\",\"state\":\"%s\",\"weight\":%d,\"active\":%d,"
        "\"idle\":%d,\"requests\":%ld,\"errors\":%ld,\"connections\":%ld,"
        "\"response_ms\":%.3f,\"bytes_second\":%.0f}",
        b->index ? "," : "", b->name, b->id, state_of(b), b->weight, b->active, count_idle(b),
        b->requests, b->errors, b->connections, b->response_us / 1e3, b->bytes_second);
}

static void write_page(bool json)
{
    page_length = 0;
    if (json)
        put("{\"algorithm\":\"%s\",\"backends\":[", settings.algorithm->name);
    else
        put("%s, layer 7\n%-22s %-8s %6s %6s %6s %9s %7s %9s %8s %8s\n",
            settings.algorithm->name, "backend", "state", "weight", "active", "idle",
            "requests", "errors", "connects", "ms", "KB/s");
    for (struct backend *b = backends; b < backends + backend_count; b++) {
        backend_fade(b);
        if (json)
            put_json(b);
        else
            put_text(b);
    }
    if (json)
        put("]}\n");
}

// Changes a weight, or the algorithm. Returns the status.
static int change(struct http_text query)
{
    char name[40];
    struct http_text weight_text = http_parameter(query, "weight"),
                     algorithm_text = http_parameter(query, "algorithm");
    struct backend *b = backends_find(http_parameter(query, "backend"));
    uint64_t weight;
    if (algorithm_text.at) {
        snprintf(name, sizeof name, "%.*s", (int)algorithm_text.length, algorithm_text.at);
        const struct pick_algorithm *algorithm = pick_find(name);
        if (!algorithm)
            return 400;
        settings.algorithm = algorithm;
        return 200;
    }
    if (!b || !weight_text.at || !http_number(weight_text, WEIGHT_MAX, &weight))
        return 400;
    log_line("backend %s: weight %d, was %d", b->name, (int)weight, b->weight);
    b->weight = (int)weight;
    return 200;
}

// A page of a foreign site can make the user's browser ask, but then it says so (Origin); and
// what a proxy on this machine passes on comes from elsewhere.
static bool is_allowed(const struct client *client, const struct http_head *head)
{
    bool local = !strncmp(client->address, "127.", 4) || !strcmp(client->address, "::1");
    return local && !http_field(head, "origin").at && !http_field(head, "via").at &&
           !http_field(head, "x-forwarded-for").at && !http_field(head, "forwarded").at;
}

static void answer_page(struct client *client, bool json)
{
    char bytes[PAGE_BYTES + 500];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    write_page(json);
    http_put_status(&out, 200);
    http_put_field(&out, "Content-Type", json ? "application/json" : "text/plain");
    http_put_field(&out, "Cache-Control", "no-store");
    http_put_length(&out, page_length);
    if (client->last)
        http_put_field(&out, "Connection", "close");
    else if (client->old)
        http_put_field(&out, "Connection", "keep-alive");
    http_put_text(&out, "\r\n");
    if (!client->head)
        http_put(&out, page, page_length);
    leg_send(&client->leg, bytes, out.length);
    end_request(client);
}

bool status_answer(struct client *client, const struct http_head *head)
{
    struct http_text path, query;
    http_split_target(head->target, &path, &query);
    if (!http_is(path, "/balancer"))
        return false;
    bool is_put = http_is(head->method, "PUT");
    int status = 200;
    if (!is_allowed(client, head))
        status = 403;
    else if (is_put)
        status = change(query);
    else if (!http_is(head->method, "GET") && !client->head)
        status = 405;
    client->last = client->last || client->in_content;
    if (status == 200)
        answer_page(client, http_is(http_parameter(query, "format"), "json"));
    else
        answer_self(client, status, "see parts/status.c for what this page takes", false);
    return true;
}
