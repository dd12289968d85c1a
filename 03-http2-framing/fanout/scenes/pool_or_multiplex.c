// pool_or_multiplex.c: 32 requests of one client at once, on their way to one backend: over one
// connection of HTTP/2, or over a pool of connections of HTTP/1.1.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim.h"
#include "measure.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "session.h"
#include "story.h"
#include "tell.h"

#define REQUESTS    32
#define SLOW        4 // of these, in the second part
#define SLOW_MS     "400"
#define PACKETS_MAX 4000
#define PATIENCE_MS 10000
#define TRIES       5 // with a lost packet: on a busy machine it may be that of the first answer
#define LATE        1.6 // an answer that takes so many times as long as the first one is late

enum { MULTIPLEX, POOL, SMALL, WAYS };

static struct way {
    const char *name, *node, *host, *port;
    struct session *session;
    int syns;        // connections to the backend that 32 requests have opened
    double quick_ms; // the middle of the quick answers, beside the slow ones
    double first_ms; // with a lost packet: the first answer,
    int late;        // how many were late,
    double last_ms;  // and the last one
} ways[WAYS] = {
    {.name = "HTTP/2", .node = "multiplex", .host = "MULTIPLEX_HOST", .port = "MULTIPLEX_PORT"},
    {.name = "HTTP/1.1, a pool", .node = "pool", .host = "POOL_HOST", .port = "POOL_PORT"},
    {.name = "HTTP/1.1, a pool of 4",
     .node = "small",
     .host = "SMALL_HOST",
     .port = "SMALL_PORT"},
};

static struct ask asks[REQUESTS];
static struct packet packets[PACKETS_MAX];

// Sends all requests at once, `slow` of them first, and waits for the answers.
static void ask_all(struct way *way, int slow)
{
    int64_t end_ns = now_ns() + PATIENCE_MS * INT64_C(1000000);
    int left = REQUESTS;
    for (int i = 0; i < REQUESTS; i++) {
        asks[i] = (struct ask){.method = "GET", .path = "/img/1?size=200"};
        if (i < slow)
            asks[i].path = "/slow?ms=" SLOW_MS;
        while (!session_ask(way->session, &asks[i]) && now_ns() < end_ns)
            sessions_step(&way->session, 1, 10);
    }
    while (left > 0 && now_ns() < end_ns) {
        sessions_step(&way->session, 1, 100);
        left = 0;
        for (int i = 0; i < REQUESTS; i++)
            left += !asks[i].done;
    }
    for (int i = 0; i < REQUESTS; i++)
        if (asks[i].failed || asks[i].status != 200)
            die("request %d through %s has no answer", i, way->node);
}

static double took_ms(int i)
{
    return ms_between(asks[i].begun_ns, asks[i].ended_ns);
}

// How many connections the proxy has opened.
static int count_syns(const struct way *way, uint32_t mark)
{
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    uint8_t node = packet_log_end(way->node);
    int syns = 0;
    for (uint32_t i = 0; i < count; i++)
        syns += packets[i].from == node && (packets[i].flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    return syns;
}

static void begin_way(struct way *way)
{
    const char *host = getenv(way->host), *port = getenv(way->port);
    if (!host || !port)
        die("there is no $%s: play this scene with make run", way->host);
    way->session = session_open(host, atoi(port));
    if (!way->session)
        die("cannot connect to the proxy %s", way->node);
    uint32_t mark = packet_log_mark();
    ask_all(way, 0);
    way->syns = count_syns(way, mark);
}

// Some slow answers: do the others wait for them?
static void try_slow(struct way *way)
{
    double took[REQUESTS - SLOW];
    ask_all(way, SLOW);
    for (int i = SLOW; i < REQUESTS; i++)
        took[i - SLOW] = took_ms(i);
    way->quick_ms = median_of(took, REQUESTS - SLOW);
}

// One packet of the answers is lost: how many of them wait for it? True: the first one does
// not.
static bool lose_one(struct way *way)
{
    const char *why = wire_tell("drop web tcp:9001:2");
    if (why)
        die("the wire: %s", why);
    ask_all(way, 0);
    way->first_ms = took_ms(0);
    way->last_ms = 0;
    way->late = 0;
    for (int i = 0; i < REQUESTS; i++) {
        if (took_ms(i) < way->first_ms)
            way->first_ms = took_ms(i);
        if (took_ms(i) > way->last_ms)
            way->last_ms = took_ms(i);
    }
    for (int i = 0; i < REQUESTS; i++)
        way->late += took_ms(i) > LATE * way->first_ms;
    return way->first_ms < LATE * way->quick_ms;
}

static void try_loss(struct way *way)
{
    for (int i = 0; i < TRIES && !lose_one(way); i++)
        ;
}

static const struct claim multiplex = {"3.23", "ch. 18.4",
                                       "HTTP/2 to the backends: one connection each, less "
                                       "set-up; TCP's head-of-line blocking stays",
                                       HOLDS, NULL};
static const struct claim pool = {
    "3.32", "ch. 18.4",
    "an HTTP/1.1 pool: many connections, head-of-line blocking on backend connections", HOLDS,
    NULL};

void scene_pool_or_multiplex(void)
{
    if (!packet_log()->tunnel) {
        claim_skip(&multiplex);
        claim_skip(&pool);
        return;
    }
    story_say(
        "%d requests at once of one client, through three proxies to one backend. The second "
        "time %d of them take " SLOW_MS
        " ms. The third time one packet of the answers is lost.",
        REQUESTS, SLOW);
    story_head("proxy to backend|connections|quick ones, ms|first, ms|late|last, ms");
    for (struct way *way = ways; way < ways + WAYS; way++) {
        begin_way(way);
        try_slow(way);
        if (way != &ways[SMALL])
            try_loss(way);
        session_close(way->session);
        if (way == &ways[SMALL])
            story_row("%s|%d|%.0f|||", way->name, way->syns, way->quick_ms);
        else
            story_row("%s|%d|%.0f|%.0f|%d|%.0f", way->name, way->syns, way->quick_ms,
                      way->first_ms, way->late, way->last_ms);
    }
    story_say("Quick ones: the middle one of the %d answers that are not slow. Late: answers "
              "that take "
              "%.1f times as long as the first one, or longer.",
              REQUESTS - SLOW, LATE);
    claim_report(
        &multiplex,
        holds_if(ways[MULTIPLEX].syns == 1 && ways[POOL].syns > 8 &&
                 ways[MULTIPLEX].late > REQUESTS / 2 && ways[POOL].late <= 2),
        "%d connection, not %d; the lost packet makes %d of %d answers late, with a pool %d",
        ways[MULTIPLEX].syns, ways[POOL].syns, ways[MULTIPLEX].late, REQUESTS, ways[POOL].late);
    claim_report(
        &pool,
        holds_if(ways[SMALL].syns == 4 && ways[SMALL].quick_ms > atoi(SLOW_MS) &&
                 ways[POOL].quick_ms < atoi(SLOW_MS) &&
                 ways[MULTIPLEX].quick_ms < atoi(SLOW_MS)),
        "%d connections; with 4 the quick ones wait for the slow ones: %.0f ms, not %.0f",
        ways[POOL].syns, ways[SMALL].quick_ms, ways[POOL].quick_ms);
}
