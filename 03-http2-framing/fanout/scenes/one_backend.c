// one_backend.c: a layer-4 balancer gives a connection to a backend. All requests that come on
// this connection are in it.
#include <string.h>

#include "claim.h"
#include "fetch.h"
#include "scenes.h"
#include "spread.h"
#include "stage.h"
#include "story.h"

#define REQUESTS 100

static const uint8_t to_do[] = {0, 0, 0, 0, 4, 0x12, 2, 'h', 'i'}; // createToDo({text: "hi"})

static struct stage stage;

static void report(const char *what)
{
    stage_end(&stage);
    story_row("%s|%ld|%ld|%ld|%ld", what, stage.requests[0], stage.requests[1],
              stage.requests[2],
              stage.connections[0] + stage.connections[1] + stage.connections[2]);
}

static bool is_all_on_one(void)
{
    for (int i = 0; i < STAGE_BACKENDS; i++)
        if (stage.requests[i] != 0 && stage.requests[i] != REQUESTS)
            return false;
    return stage.requests[0] + stage.requests[1] + stage.requests[2] == REQUESTS;
}

// A hundred requests at once on one connection.
static int ask_over_http2(bool grpc)
{
    struct spread spread = {0};
    struct load load = {
        .like = {.method = "GET", .path = "/"}, .requests = REQUESTS, .at_once = REQUESTS};
    if (grpc)
        load.like = session_call("/toDo.ToDo/createToDo", to_do, sizeof to_do);
    spread_add(&spread, "127.0.0.1", stage.port);
    spread_run(&spread, &load);
    spread_close(&spread);
    return load.errors;
}

// A hundred requests one after the other, on a connection that is kept, or each on a new one.
static void ask_over_http1(bool keep)
{
    static struct fetch f;
    struct sockaddr_storage address;
    net_address("127.0.0.1", stage.port, SOCK_STREAM, &address);
    for (int i = 0; i < REQUESTS; i++) {
        if (i == 0 || !keep)
            fetch_or_die(&f, fetch_open(&f, &address, 0));
        fetch_or_die(&f, fetch_ask(&f, "GET", "/", "", NULL));
        if (!keep || i == REQUESTS - 1)
            fetch_close(&f);
    }
}

static const struct claim one_backend = {
    "3.17", "ch. 18.4",
    "a layer-4 balancer sees one connection, so all 100 requests of HTTP/2 go to one backend",
    HOLDS, NULL};
static const struct claim works_for_http1 = {
    "3.30", "ch. 18.6", "a layer-4 balancer works for HTTP/1.1 (and is limited for HTTP/2)",
    NOT_HERE,
    "it spreads connections, whatever they speak: 100 requests on one that is kept (RFC 9112 "
    "§9.3: the default) go to one backend, too. It works where clients open many"};

void scene_one_backend(void)
{
    int errors;
    char over_http2[80];
    story_say("100 requests through ./relay, which passes on bytes, to three backends. Each "
              "backend counts its requests itself.");
    story_head("through ./relay|backend 1|backend 2|backend 3|connections");
    stage_begin(&stage, "../server", "./relay", NULL);
    errors = ask_over_http2(false);
    report("HTTP/2, one connection");
    bool gets = is_all_on_one();
    strcpy(over_http2, stage_shares(&stage));
    stage_begin(&stage, "../grpc/server", "./relay", NULL);
    errors += ask_over_http2(true);
    report("gRPC, one connection");
    bool calls = is_all_on_one();
    stage_begin(&stage, "../server", "./relay", NULL);
    ask_over_http1(false);
    report("HTTP/1.1, a connection each");
    bool spread = stage_is_even(&stage);
    stage_begin(&stage, "../server", "./relay", NULL);
    ask_over_http1(true);
    report("HTTP/1.1, a kept connection");
    bool kept = is_all_on_one();
    claim_report(&one_backend, holds_if(gets && calls && errors == 0),
                 "GETs: %s; calls of gRPC: the same", over_http2);
    claim_report(&works_for_http1, kept && spread ? NOT_HERE : UNCLEAR,
                 "on a kept connection %s; on a new one for each request they are spread",
                 stage_shares(&stage));
}
