// solutions.c: four ways to spread the requests of HTTP/2 over three backends, and what each of
// them loses when a backend dies.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "spread.h"
#include "stage.h"
#include "story.h"

#define REQUESTS 100
#define AT_ONCE  12
#define BEFORE   60 // requests that are sent before those that are under way when
#define VICTIM   0  // this backend dies

#define PATIENCE_NS INT64_C(10000000000)

static const uint8_t to_do[] = {0, 0, 0, 0, 4, 0x12, 2, 'h', 'i'}; // createToDo({text: "hi"})
static const uint8_t work[] = {0, 0, 0,  0,    5,
                               8, 1, 16, 0xac, 2}; // work({steps: 1, step_ms: 300})

enum { NOTHING, LAYER_7, CLIENT, LOOKASIDE, CONNECTIONS, FOUR, WAYS };

static struct way {
    const char *name, *front;
    int connections; // of the client to what stands in front, in turn
    bool own_list;   // the client has the list of the backends
    // What came out.
    bool even, even_calls;
    char shares[80];
    int opened;  // connections of the client
    long behind; // connections that the backends have counted
    int lost_gets, lost_calls;
} ways[WAYS] = {
    [NOTHING] = {.name = "relay, 1 connection", .front = "./relay", .connections = 1},
    [LAYER_7] = {.name = "1. layer 7: ./proxy", .front = "./proxy", .connections = 1},
    [CLIENT] = {.name = "2. the client's own list", .front = NULL, .own_list = true},
    [LOOKASIDE] = {.name = "3. look-aside service", .front = "./lookaside"},
    [CONNECTIONS] = {.name = "4. relay, 3 connections", .front = "./relay", .connections = 3},
    [FOUR] = {.name = "   relay, 4 connections", .front = "./relay", .connections = 4},
};

static struct stage stage;

static struct spread spread;
static struct load load;
static struct ask quick, slow;

// Sends one quick request more on each connection: when it is answered, what was sent there
// before is on its way, behind a proxy, too.
static void await_passed(void)
{
    for (int i = 0; i < spread.count; i++) {
        struct session *session = spread.places[i].session;
        struct ask probe = quick;
        int64_t patience_ns = now_ns() + PATIENCE_NS;
        bool asked = session && session_ask(session, &probe);
        while (asked && !probe.done && now_ns() < patience_ns)
            sessions_step(&session, 1, 100);
        if (asked && !probe.done)
            die("one request more has no answer");
    }
}

// AT_ONCE slow requests are under way at the same time, and none else: then the backend dies.
static void kill_at_half(int sent)
{
    if (sent == BEFORE)
        load.like = slow;
    if (sent != BEFORE + AT_ONCE)
        return;
    await_passed();
    stage_kill(&stage, VICTIM);
    load.like = quick;
}

// Sends the requests in this way. Returns how many had no good answer.
static int send_load(struct way *way, bool grpc, bool kills)
{
    static char service[32];
    spread = (struct spread){0};
    for (int i = 0; i < STAGE_BACKENDS && way->own_list; i++)
        spread_add(&spread, "127.0.0.1", stage.ports[i]);
    for (int i = 0; i < way->connections; i++)
        spread_add(&spread, "127.0.0.1", stage.port);
    snprintf(service, sizeof service, "127.0.0.1:%d", stage.port);
    if (way == &ways[LOOKASIDE])
        spread.lookaside = service;
    quick = (struct ask){.method = "GET", .path = "/"};
    slow = (struct ask){.method = "GET", .path = "/slow?ms=300"};
    if (grpc) {
        quick = session_call("/toDo.ToDo/createToDo", to_do, sizeof to_do);
        slow = session_call("/toDo.ToDo/work", work, sizeof work);
    }
    load = (struct load){.like = quick, .requests = REQUESTS, .at_once = AT_ONCE};
    if (kills)
        load.sent = kill_at_half;
    spread_run(&spread, &load);
    way->opened = spread.opened;
    spread_close(&spread);
    return load.errors;
}

static void try_way(struct way *way)
{
    stage_begin(&stage, "../grpc/server", way->front, NULL);
    int errors = send_load(way, true, false);
    stage_end(&stage);
    way->even_calls = stage_is_even(&stage) && errors == 0;
    stage_begin(&stage, "../server", way->front, NULL);
    errors = send_load(way, false, false);
    int opened = way->opened;
    stage_end(&stage);
    way->even = stage_is_even(&stage) && errors == 0;
    way->behind = stage.connections[0] + stage.connections[1] + stage.connections[2];
    snprintf(way->shares, sizeof way->shares, "%s", stage_shares(&stage));
    if (way == &ways[FOUR]) { // it loses what the one above loses
        story_row("%s|%s|%d|%ld||", way->name, way->shares, opened, way->behind);
        return;
    }
    stage_begin(&stage, "../server", way->front, NULL);
    way->lost_gets = send_load(way, false, true);
    stage_end(&stage);
    stage_begin(&stage, "../grpc/server", way->front, NULL);
    way->lost_calls = send_load(way, true, true);
    stage_end(&stage);
    way->opened = opened;
    story_row("%s|%s|%d|%ld|%d|%d", way->name, way->shares, way->opened, way->behind,
              way->lost_gets, way->lost_calls);
}

static const struct claim layer_7 = {
    "3.20", "ch. 18.4", "solution 1: a layer-7 balancer routes each stream by itself", HOLDS,
    NULL};
static const struct claim client_side = {
    "3.21", "ch. 18.4", "solution 2: the client knows all backends, and uses them in turn",
    HOLDS, NULL};
static const struct claim others = {"3.22", "ch. 18.4",
                                    "solutions 3 and 4: a service names the backend; several "
                                    "connections, each to another backend",
                                    HOLDS, NULL};
static const struct claim lost = {
    "3.31", "ch. 18.4",
    "with layer 7 the proxy sees requests: it can send one again, elsewhere", HOLDS, NULL};

void scene_solutions(void)
{
    story_say(
        "%d requests to three backends, %d at once. Then the same again, and when %d are under "
        "way that take 300 ms each, backend 1 is killed: what is lost?",
        REQUESTS, AT_ONCE, AT_ONCE);
    story_head("|shares|connections|behind|GETs lost|calls lost");
    for (int i = 0; i < WAYS; i++)
        try_way(&ways[i]);
    story_say(
        "A connection behind: what the three backends have counted. A call is a POST: it "
        "may have been carried out, so the proxy must not send it again (RFC 9110 §9.2.2).");
    claim_report(
        &layer_7,
        holds_if(ways[LAYER_7].even && ways[LAYER_7].even_calls && ways[LAYER_7].opened == 1),
        "%s on one connection of the client; calls of gRPC, too", ways[LAYER_7].shares);
    claim_report(&client_side, holds_if(ways[CLIENT].even && ways[CLIENT].even_calls),
                 "%s on %d connections of the client", ways[CLIENT].shares,
                 ways[CLIENT].opened);
    claim_report(
        &others, holds_if(ways[LOOKASIDE].even && ways[CONNECTIONS].even && !ways[FOUR].even),
        "look-aside: %s, by request. Connections: three give %s, four give %s, because "
        "it is connections that are spread",
        ways[LOOKASIDE].shares, ways[CONNECTIONS].shares, ways[FOUR].shares);
    claim_report(
        &lost,
        holds_if(ways[LAYER_7].lost_gets == 0 && ways[CLIENT].lost_gets > 0 &&
                 ways[NOTHING].lost_gets > ways[CONNECTIONS].lost_gets),
        "GETs lost: %d through the proxy, %d of the client that has a list, %d where all "
        "were on the lost connection",
        ways[LAYER_7].lost_gets, ways[CLIENT].lost_gets, ways[NOTHING].lost_gets);
}
