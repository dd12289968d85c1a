// tree.c: scene trace: one request through three services, as a tree, from the access
// logs of their sidecars. Then the same with an app that copies nothing.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim.h"
#include "mesh.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define SPANS 16
#define PARTS 6 // of the request in this scene

static const struct claim tracing = {
    "4.70", "ch. 18.5", "distributed tracing: the sidecar injects the headers", HOLDS, NULL};
static const struct claim no_change = {
    "4.71", "ch. 18.5", "no code changes (here: for tracing)", NOT_HERE,
    "not for traces: an app has to copy traceparent from what it serves to what it asks, "
    "because only the app knows that one is because of the other (W3C Trace Context §2)"};

// A sidecar's part of a request: a line of the access log.
struct span {
    char service[20], direction[12], peer[60], trace[40], id[20], parent[20];
    long long start_us, us;
    int status;
    bool shown;
};

static struct span spans[SPANS];
static int span_count;

// Copies a value of a line of JSON.
static void value_of(const char *line, const char *key, char *value, size_t size)
{
    char name[30];
    snprintf(name, sizeof name, "\"%s\":", key);
    const char *at = strstr(line, name);
    value[0] = '\0';
    if (!at)
        return;
    at += strlen(name);
    at += *at == '"';
    snprintf(value, size, "%.*s", (int)strcspn(at, "\","), at);
}

// Reads the lines behind the first `skip` of them. Returns how many lines there are.
static int read_log(int skip)
{
    char line[1200], number[30];
    int lines = 0;
    FILE *file = fopen(mesh_path("access"), "re");
    span_count = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (lines++ < skip || span_count == SPANS)
            continue;
        struct span *s = &spans[span_count++];
        value_of(line, "service", s->service, sizeof s->service);
        value_of(line, "direction", s->direction, sizeof s->direction);
        value_of(line, "peer", s->peer, sizeof s->peer);
        value_of(line, "trace", s->trace, sizeof s->trace);
        value_of(line, "span", s->id, sizeof s->id);
        value_of(line, "parent", s->parent, sizeof s->parent);
        value_of(line, "start_us", number, sizeof number);
        s->start_us = atoll(number);
        value_of(line, "us", number, sizeof number);
        s->us = atoll(number);
        value_of(line, "status", number, sizeof number);
        s->status = atoi(number);
        s->shown = false;
    }
    if (file)
        fclose(file);
    return lines;
}

// Waits for `expected` lines behind the first `skip` of them: each sidecar writes its own.
static int await_log(int skip, int expected)
{
    int64_t until_ns = now_ns() + MESH_AWAIT_MS * INT64_C(1000000);
    int lines = read_log(skip);
    while (lines < skip + expected && now_ns() < until_ns) {
        sleep_ms(5);
        lines = read_log(skip);
    }
    return lines;
}

// Draws a span, and below it those whose parent it is.
static void draw(struct span *s, int depth, long long zero_us)
{
    char text[100];
    const char *peer = s->peer;
    if (strrchr(peer, '/'))
        peer = strrchr(peer, '/') + 1;
    const char *arrow = "is asked by";
    if (!strcmp(s->direction, "outbound"))
        arrow = "asks";
    s->shown = true;
    snprintf(text, sizeof text, "%*s%s %s %s", 2 * depth, "", s->service, arrow, peer);
    story_row("%s|%.2f|%.2f ms|%d", text, (double)(s->start_us - zero_us) / 1e3,
              (double)s->us / 1e3, s->status);
    for (int i = 0; i < span_count; i++)
        if (!spans[i].shown && !strcmp(spans[i].trace, s->trace) &&
            !strcmp(spans[i].parent, s->id))
            draw(&spans[i], depth + 1, zero_us);
}

// Draws all traces. Returns how many trees there are.
static int draw_all(void)
{
    int trees = 0;
    long long zero_us = 0;
    for (int i = 0; i < span_count; i++)
        if (zero_us == 0 || spans[i].start_us < zero_us)
            zero_us = spans[i].start_us;
    story_head("the sidecar's part|begins at ms|takes|status");
    for (int i = 0; i < span_count; i++)
        if (!spans[i].parent[0]) {
            trees++;
            draw(&spans[i], 0, zero_us);
        }
    return trees;
}

static int not_shown(void)
{
    int count = 0;
    for (int i = 0; i < span_count; i++)
        count += !spans[i].shown;
    return count;
}

void scene_trace(void)
{
    scene_check_server();
    mesh_begin();
    struct pod *web = pod_new("web"), *shop = pod_new("shop"), *price = pod_start("price"),
               *stock = pod_start("stock");
    (void)price, (void)stock;
    pod_start_app(shop, "--calls", "stock,price", NULL);
    pod_start_sidecar(shop, NULL);
    pod_start_sidecar(web, NULL);
    mesh_write_services();
    story_say("web asks shop; shop asks stock, then price. Each of the apps copies two fields. "
              "Every sidecar writes a line about its part:");
    int status = mesh_status(web, "GET", "shop", "/");
    int lines = await_log(0, PARTS), trees = draw_all(), lost = not_shown();
    bool whole = status == 200 && trees == 1 && lost == 0 && span_count == PARTS;
    story_say("The same, but now shop copies nothing:");
    pod_stop_app(shop);
    pod_start_app(shop, "--calls", "stock,price", "--forgets-trace", NULL);
    mesh_status(web, "GET", "shop", "/");
    await_log(lines, PARTS);
    int pieces = draw_all();
    claim_report(
        &tracing, holds_if(whole),
        "6 parts in one tree, with the parent of each (parts: %d, trees: %d, lost: %d)", lines,
        trees, lost);
    enum verdict verdict = UNCLEAR;
    if (pieces == 3)
        verdict = NOT_HERE;
    else if (pieces == 1)
        verdict = HOLDS;
    claim_report(&no_change, verdict,
                 "without two lines in the app the tree is in %d pieces that nobody can put "
                 "together",
                 pieces);
    mesh_end();
}
