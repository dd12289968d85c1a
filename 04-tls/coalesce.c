// coalesce.c: scene coalesce: lesson 09's algorithm meets TLS. Nagle holds a small segment back
// while another one is not acknowledged: so it matters what a program hands over in one
// write().
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "board.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define TRIES 2
#define SLACK 0.1 // of a round trip, that a link may be too fast

enum way { FLIGHTS_NODELAY, FLIGHTS_NAGLE, RECORDS_NODELAY, RECORDS_NAGLE, WAYS };

static const struct {
    const char *name;
    bool nagle, one_by_one;
} ways[WAYS] = {[FLIGHTS_NODELAY] = {"flights, TCP_NODELAY", false, false},
                [FLIGHTS_NAGLE] = {"flights, Nagle", true, false},
                [RECORDS_NODELAY] = {"each record, TCP_NODELAY", false, true},
                [RECORDS_NAGLE] = {"each record, Nagle", true, true}};

struct times {
    double handshake_ms, answer_ms; // from connect(); of several tries the fastest
    int writes;                     // up to the end of the handshake
};

static int count_writes(const struct connection *c)
{
    int writes = 0;
    for (int i = 0; i < c->tap.pieces; i++)
        writes += c->tap.piece[i].to_server && c->tap.piece[i].at_ns <= c->established_ns;
    return writes;
}

// One connection with one request.
static void connect_once(int version, enum way way, struct times *times)
{
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    settings.version = version;
    settings.nagle = ways[way].nagle;
    settings.one_by_one = ways[way].one_by_one;
    struct connection *c = connection_open(&settings);
    if (!ask(c, "GET", "/", NULL, &reply))
        die("no answer from the server: %s", c->why);
    double handshake_ms = (double)(c->established_ns - c->started_ns) / 1e6;
    double answer_ms = (double)(reply.first_ns - c->started_ns) / 1e6;
    times->writes = count_writes(c);
    if (times->answer_ms == 0 || answer_ms < times->answer_ms)
        times->answer_ms = answer_ms;
    if (times->handshake_ms == 0 || handshake_ms < times->handshake_ms)
        times->handshake_ms = handshake_ms;
    connection_close(c);
}

static void measure(int version, struct times times[WAYS])
{
    for (int i = 0; i < TRIES; i++)
        for (enum way way = 0; way < WAYS; way++)
            connect_once(version, way, &times[way]);
    story_head(version == TLS1_2_VERSION ? "TLS 1.2: write() for|write()s|handshake|answer"
                                         : "TLS 1.3: write() for|write()s|handshake|answer");
    for (enum way way = 0; way < WAYS; way++)
        story_row("%s|%d|%.1f ms|%.1f ms", ways[way].name, times[way].writes,
                  times[way].handshake_ms, times[way].answer_ms);
}

static int trips(double ms)
{
    return (int)(ms / board()->rtt_ms + SLACK);
}

static const struct claim each_message = {
    "9.7", "guide §10.1", "Nagle makes each small message of a TLS handshake wait", NOT_HERE,
    "TLS libraries write a flight at once, so that nothing is behind anything. It takes a "
    "stack that writes each record by itself; then a flight waits for an ACK."};
static const struct claim nodelay = {
    "4.20", "guide §10.1", "TCP_NODELAY by default, as in curl, ends mysterious delays of TLS",
    HOLDS, NULL};

void scene_coalesce(void)
{
    struct times old[WAYS] = {0}, new[WAYS] = {0};
    story_say(
        "OpenSSL hands over a flight of the handshake in one write(). The same with a write()");
    story_say(
        "for each record, and each with Nagle's algorithm and without it; from connect(), of");
    story_say("%d tries the fastest.", TRIES);
    measure(TLS1_2_VERSION, old);
    measure(TLS1_3_VERSION, new);
    const char *why = scene_no_round_trips();
    if (!board()->tunnel) {
        claim_skip(&each_message);
        claim_skip(&nodelay);
    } else if (why) {
        claim_report(&each_message, SKIPPED, "%s", why);
        claim_report(&nodelay, SKIPPED, "%s", why);
    } else {
        int with =
            trips(old[FLIGHTS_NAGLE].handshake_ms) + trips(new[FLIGHTS_NAGLE].handshake_ms);
        int without =
            trips(old[FLIGHTS_NODELAY].handshake_ms) + trips(new[FLIGHTS_NODELAY].handshake_ms);
        int naive =
            trips(old[RECORDS_NAGLE].handshake_ms) - trips(old[RECORDS_NODELAY].handshake_ms);
        claim_report(&each_message,
                     with == without && naive >= 1 ? NOT_HERE
                     : with > without              ? HOLDS
                                                   : UNCLEAR,
                     "the handshake of 1.2 takes %.0f ms with Nagle and %.0f without; written "
                     "record by record, %.0f and %.0f",
                     old[FLIGHTS_NAGLE].handshake_ms, old[FLIGHTS_NODELAY].handshake_ms,
                     old[RECORDS_NAGLE].handshake_ms, old[RECORDS_NODELAY].handshake_ms);
        int request =
            trips(new[FLIGHTS_NAGLE].answer_ms) - trips(new[FLIGHTS_NODELAY].answer_ms);
        claim_report(
            &nodelay,
            request >= 1   ? HOLDS
            : request == 0 ? NOT_HERE
                           : UNCLEAR,
            "in 1.3 the request goes right behind the Finished, and with Nagle it waits "
            "until that is acknowledged: the answer after %.0f ms in place of %.0f",
            new[FLIGHTS_NAGLE].answer_ms, new[FLIGHTS_NODELAY].answer_ms);
    }
}
