// two.c: the balancer itself fails. There are two of them: both work (active-active), or the
// second one waits and takes over the address (active-passive).
#include <stdlib.h>
#include <string.h>

#include "claim.h"
#include "fetch.h"
#include "lab.h"
#include "measure.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"
#include "tell.h"

#define PATIENCE_MS 300   // until a client gives up an address that has gone
#define ANSWER_MS   20000 // and one that works: more than even a busy machine needs
#define SHARED      "10.0.0.100"
#define REQUESTS    10

static struct fetch open_one, f;
static int port;

static int64_t in_ms(int ms)
{
    return now_ns() + ms * INT64_C(1000000);
}

static enum fetch_result try_address(struct fetch *of, const char *host, int wait_ms)
{
    struct sockaddr_storage address;
    net_address(host, port, SOCK_STREAM, &address);
    enum fetch_result result = fetch_open(of, &address, in_ms(wait_ms));
    if (result == FETCH_OK)
        result = fetch_ask(of, "GET", "/", "", NULL);
    return result;
}

// Requests on new connections, to the first of these addresses until it does not answer within
// wait_ms; then to the second one. Returns how many were answered.
static int ask_all(const char *const addresses[2], int wait_ms, double *slowest_ms)
{
    int answered = 0, use = 0;
    *slowest_ms = 0;
    for (int i = 0; i < REQUESTS && addresses[use]; i++) {
        int64_t began = now_ns();
        enum fetch_result result = try_address(&f, addresses[use], wait_ms);
        fetch_close(&f);
        if (result != FETCH_OK && use == 0 && addresses[1]) {
            use = 1; // and it remembers that
            wait_ms = ANSWER_MS;
            result = try_address(&f, addresses[use], wait_ms);
            fetch_close(&f);
        }
        answered += result == FETCH_OK;
        if (ms_since(began) > *slowest_ms)
            *slowest_ms = ms_since(began);
        if (result != FETCH_OK)
            break;
    }
    return answered;
}

static void must(const char *why)
{
    if (why)
        die("the wire: %s", why);
}

// What becomes of a connection that was open when the balancer failed.
static const char *use_open_one(int wait_ms)
{
    open_one.deadline_ns = in_ms(wait_ms);
    enum fetch_result result = fetch_ask(&open_one, "GET", "/", "", NULL);
    fetch_close(&open_one);
    return fetch_text[result];
}

// For a cell of the table: without "the connection", which its title says.
static const char *shorter(const char *fate)
{
    static const char begin[] = "the connection ";
    size_t length = sizeof begin - 1;
    return fate + (strncmp(fate, begin, length) ? 0 : length);
}

static const struct claim survives = {
    "8.32", "load balancing",
    "active-active and active-passive: if a balancer fails, the other one takes over", HOLDS,
    NULL};

void scene_two(void)
{
    double slowest[3];
    if (!packet_log()->tunnel) {
        claim_skip(&survives);
        return;
    }
    const char *one = getenv("ONE_HOST"), *two = getenv("TWO_HOST");
    port = atoi(getenv("ONE_PORT"));
    const char *const both[2] = {one, two}, *const first[2] = {one, NULL},
                      *const shared[2] = {SHARED, NULL};
    story_quiet(true);
    story_say("Two balancers, one and two. Clients open %d connections; one fails without a "
              "word.",
              REQUESTS);
    fetch_or_die(&open_one, try_address(&open_one, one, ANSWER_MS));
    must(wire_tell("mute one"));
    int alone = ask_all(first, PATIENCE_MS, &slowest[0]);
    const char *fate_active = use_open_one(PATIENCE_MS);
    int active = ask_all(both, PATIENCE_MS, &slowest[1]);
    must(wire_tell("unmute one"));
    fetch_or_die(&open_one, try_address(&open_one, SHARED, ANSWER_MS));
    must(wire_tell("mute one"));
    must(wire_tell("give two " SHARED));
    int passive = ask_all(shared, ANSWER_MS, &slowest[2]);
    const char *fate_passive = use_open_one(ANSWER_MS);
    must(wire_tell("unmute one")); // so that its connections can end
    story_quiet(false);
    story_head("the client knows|answered|slowest|the open connection");
    story_row("one address|%d of %d|%.0f ms|%s", alone, REQUESTS, slowest[0],
              shorter(fate_active));
    story_row("both addresses (active-active)|%d of %d|%.0f ms|%s", active, REQUESTS,
              slowest[1], shorter(fate_active));
    story_row("an address that moves (active-passive)|%d of %d|%.0f ms|%s", passive, REQUESTS,
              slowest[2], shorter(fate_passive));
    claim_report(
        &survives, holds_if(alone == 0 && active == REQUESTS && passive == REQUESTS),
        "new connections: %d of %d by both addresses, %d by an address that moves; the "
        "open ones are lost: %s; %s",
        active, REQUESTS, passive, fate_active, fate_passive);
}
