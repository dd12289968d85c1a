// pipelined.c: three requests of one connection, and three of three connections. Are they
// handled at the same time?
#include <stdio.h>

#include "claim.h"
#include "fetch.h"
#include "lab.h"
#include "measure.h"
#include "scenes.h"
#include "story.h"

#define REQUESTS 3
#define WORKERS  4
#define IO_MS    40   // each request waits so long
#define TRIES    8    // the shortest time counts
#define LESS     0.67 // this part of the time, at most, counts as less

struct result {
    double one_ms, three_ms; // until all are answered: on one connection, and on three
};

// Sends all requests, over so many connections, and reads the answers. Returns how long the
// last one took.
static double ask_all(int port, int connections)
{
    static struct fetch clients[REQUESTS];
    struct sockaddr_storage server;
    net_address("127.0.0.1", port, SOCK_STREAM, &server);
    for (int i = 0; i < connections; i++)
        fetch_or_die(&clients[i], fetch_open(&clients[i], &server, 0));
    int64_t from_ns = now_ns();
    for (int i = 0; i < REQUESTS; i++) {
        struct fetch *client = &clients[i % connections];
        fetch_or_die(client,
                     fetch_send(client, "GET /io?ms=%d HTTP/1.1\r\n" FETCH_HOST "\r\n", IO_MS));
    }
    for (int i = 0; i < REQUESTS; i++)
        fetch_or_die(&clients[i % connections], fetch_answer(&clients[i % connections]));
    double ms = ms_since(from_ns);
    for (int i = 0; i < connections; i++)
        fetch_close(&clients[i]);
    return ms;
}

// Three connections are answered at the same time, one connection is not.
static bool as_documented(const struct result *r)
{
    return r->one_ms >= REQUESTS * IO_MS && r->three_ms < LESS * r->one_ms;
}

static void measure(const char *model, struct result *result)
{
    struct lab lab;
    *result = (struct result){1e9, 1e9};
    lab_start(&lab, model, "--workers %d", WORKERS);
    for (int i = 0; i < TRIES && !as_documented(result); i++) {
        double one_ms = ask_all(lab.port, 1), three_ms = ask_all(lab.port, REQUESTS);
        if (one_ms < result->one_ms)
            result->one_ms = one_ms;
        if (three_ms < result->three_ms)
            result->three_ms = three_ms;
    }
    lab_stop(&lab);
}

static const struct claim three_threads = {
    "6.42", "load balancing", "three requests of one connection are handled by three threads",
    NOT_HERE,
    "HTTP/1.1 has the answers in the order of the requests. A server may handle several at a "
    "time if all methods are safe, and has to keep the answers that are early (RFC 9112 "
    "§9.3.2); these, and most, take one after the other. HTTP/2 has streams: lesson 03."};

void scene_pipelined(void)
{
    static const char *const few[] = {"thread", "pool", "loop"};
    struct result pool = {0}, result;
    story_say("%d requests for /io?ms=%d, sent without waiting for answers: all on one",
              REQUESTS, IO_MS);
    story_say("connection (pipelining), and each on its own. Until the last answer is here:");
    story_head("|one connection|three of them");
    for (size_t i = 0; i < sizeof few / sizeof *few; i++) {
        measure(few[i], &result);
        story_row("%s|%.0f ms|%.0f ms", few[i], result.one_ms, result.three_ms);
        if (i == 1)
            pool = result;
    }
    enum verdict verdict = UNCLEAR;
    if (as_documented(&pool))
        verdict = NOT_HERE;
    else if (pool.one_ms < (REQUESTS - 1) * IO_MS)
        verdict = HOLDS;
    claim_report(
        &three_threads, verdict,
        "a pool of %d threads: three requests of one connection take %.0f ms, of three "
        "connections %.0f",
        WORKERS, pool.one_ms, pool.three_ms);
}
