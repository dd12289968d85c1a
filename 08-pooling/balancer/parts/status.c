// status.c: the page /balancer: the state of all backends, as text or as JSON. For this machine
// only:
//
//     curl localhost:8108/balancer
//     curl localhost:8108/balancer?format=json
//     curl -X PUT 'localhost:8108/balancer?backend=localhost:9001&weight=5'
//     curl -X PUT 'localhost:8108/balancer?algorithm=random'
#include <stdio.h>
#include <stdlib.h>

#include "layer7.h"
#include "log.h"

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

static void put_text(FILE *page, const struct backend *b)
{
    fprintf(page, "%-15s %-8s %6d %6d %4d %8ld %6ld %8ld %5.1f %5.0f\n", b->name, state_of(b),
            b->weight, b->active, count_idle(b), b->requests, b->errors, b->connections,
            b->response_us / 1e3, b->bytes_second / 1e3);
}

static void put_json(FILE *page, const struct backend *b)
{
    fprintf(page,
            "%s{\"name\":\"%s\",\"id\":\"%s\",\"state\":\"%s\",\"weight\":%d,\"active\":%d,"
            "\"idle\":%d,\"requests\":%ld,\"errors\":%ld,\"connections\":%ld,"
            "\"response_ms\":%.3f,\"bytes_second\":%.0f}",
            b->index ? "," : "", b->name, b->id, state_of(b), b->weight, b->active,
            count_idle(b), b->requests, b->errors, b->connections, b->response_us / 1e3,
            b->bytes_second);
}

static void write_page(FILE *page, bool json)
{
    if (json)
        fprintf(page, "{\"algorithm\":\"%s\",\"backends\":[", settings.algorithm->name);
    else
        fprintf(page, "%s, layer 7\n%-15s %-8s %6s %6s %4s %8s %6s %8s %5s %5s\n",
                settings.algorithm->name, "backend", "state", "weight", "active", "idle",
                "requests", "errors", "connects", "ms", "KB/s");
    for (struct backend *b = backends; b < backends + backend_count; b++) {
        backend_fade(b);
        if (json)
            put_json(page, b);
        else
            put_text(page, b);
    }
    if (json)
        fprintf(page, "]}\n");
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
    char *text = NULL;
    size_t length = 0;
    FILE *page = open_memstream(&text, &length);
    if (page)
        write_page(page, json);
    if (!page || fclose(page))
        answer_self(client, 503, "no memory for this page", false);
    else
        answer(client, 200, json ? "application/json" : "text/plain",
               "Cache-Control: no-store\r\n", (struct http_text){text, length});
    free(text);
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
