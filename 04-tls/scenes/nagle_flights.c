// nagle_flights.c: scene nagle_flights: Nagle's algorithm (lesson 09) and TLS. It holds a small
// segment back while an earlier one is not acknowledged. So it matters how many bytes a program
// gives to one write().
#include <string.h>

#include "ask.h"
#include "packet_log.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "count_round_trips.h"

#define TRIES 2

enum way { FLIGHTS_NODELAY, FLIGHTS_NAGLE, RECORDS_NODELAY, RECORDS_NAGLE, WAYS };

static const struct {
    const char *name;
    bool nagle, one_by_one;
} ways[WAYS] = {[FLIGHTS_NODELAY] = {"flights, TCP_NODELAY", false, false},
                [FLIGHTS_NAGLE] = {"flights, Nagle", true, false},
                [RECORDS_NODELAY] = {"each record, TCP_NODELAY", false, true},
                [RECORDS_NAGLE] = {"each record, Nagle", true, true}};

// Times and round trips from connect() on; the best of several tries.
struct times {
    double handshake_ms, answer_ms;
    int handshake_trips, answer_trips;
    int writes; // how many write()s there were until the handshake was done
};

static void count(const struct connection *c, int *writes, size_t *bytes)
{
    *writes = 0;
    *bytes = 0;
    for (int i = 0; i < c->recording.pieces && c->recording.piece[i].at_ns <= c->established_ns;
         i++)
        if (c->recording.piece[i].to_server)
            ++*writes;
        else
            *bytes += c->recording.piece[i].length;
}

static void keep_best(double *ms, int *trips, double new_ms, int new_trips)
{
    if (*ms == 0 || new_ms < *ms)
        *ms = new_ms;
    if (*trips == 0 || new_trips < *trips)
        *trips = new_trips;
}

// Opens one connection, and sends one request.
static void connect_once(int version, enum way way, struct times *times)
{
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    size_t bytes;
    settings.version = version;
    settings.nagle = ways[way].nagle;
    settings.one_by_one = ways[way].one_by_one;
    uint32_t mark = packet_log_mark();
    struct connection *c = connection_open(&settings);
    if (!ask(c, "GET", "/", NULL, &reply))
        die("no answer from the server: %s", c->why);
    count(c, &times->writes, &bytes);
    keep_best(&times->handshake_ms, &times->handshake_trips,
              (double)(c->established_ns - c->started_ns) / 1e6,
              count_round_trips(mark, c->recording.fd, bytes));
    keep_best(&times->answer_ms, &times->answer_trips,
              (double)(reply.first_ns - c->started_ns) / 1e6,
              count_round_trips(mark, c->recording.fd, reply.first_at));
    connection_close(c);
}

static void measure(int version, struct times times[WAYS])
{
    for (int i = 0; i < TRIES; i++)
        for (enum way way = 0; way < WAYS; way++)
            connect_once(version, way, &times[way]);
    if (version == TLS1_2_VERSION)
        story_head("TLS 1.2: write() for|write()s|handshake|answer");
    else
        story_head("TLS 1.3: write() for|write()s|handshake|answer");
    for (enum way way = 0; way < WAYS; way++)
        story_row("%s|%d|%.1f ms|%.1f ms", ways[way].name, times[way].writes,
                  times[way].handshake_ms, times[way].answer_ms);
}

static const struct claim each_message = {
    "4.21", "guide §10.1", "Nagle makes each small message of a TLS handshake wait", NOT_HERE,
    "A flight is one write() (OpenSSL: ssl_init_wbio_buffer() in ssl/ssl_lib.c), so no part of "
    "it "
    "waits for an ACK (RFC 896). It would wait in a program that writes each record by "
    "itself."};
static const struct claim nodelay = {
    "4.20", "guide §10.1", "TCP_NODELAY by default, as in curl, ends mysterious delays of TLS",
    HOLDS, NULL};

// True if bytes have waited for an ACK, beyond these round trips. Such an ACK may have no data,
// and then the packets do not show that it was waited for; but the time does.
static bool waited(double ms, int round_trips)
{
    return ms / packet_log()->rtt_ms > round_trips + 0.9;
}

static void report(const struct times old[WAYS], const struct times new[WAYS])
{
    int without = old[FLIGHTS_NODELAY].handshake_trips;
    int with = old[FLIGHTS_NAGLE].handshake_trips;
    int prompt = new[FLIGHTS_NODELAY].answer_trips;
    enum verdict verdict = UNCLEAR;
    if (with > without)
        verdict = HOLDS;
    else if (with == without && waited(old[RECORDS_NAGLE].handshake_ms, without))
        verdict = NOT_HERE;
    claim_report(&each_message, verdict,
                 "the handshake of 1.2 takes %d round trips with Nagle and %d without; written "
                 "record by record, %.0f ms and %.0f",
                 with, without, old[RECORDS_NAGLE].handshake_ms,
                 old[RECORDS_NODELAY].handshake_ms);
    verdict = NOT_HERE;
    if (waited(new[FLIGHTS_NAGLE].answer_ms, prompt))
        verdict = HOLDS;
    claim_report(
        &nodelay, verdict,
        "in 1.3 the request is sent right behind the Finished. With Nagle it waits until "
        "the Finished is acknowledged: the answer comes after %.0f ms instead of %.0f",
        new[FLIGHTS_NAGLE].answer_ms, new[FLIGHTS_NODELAY].answer_ms);
}

void scene_nagle_flights(void)
{
    struct times old[WAYS] = {0}, new[WAYS] = {0};
    const char *why = scene_no_round_trips();
    story_say(
        "OpenSSL gives a flight of the handshake to one write(). Beside that: one write() for "
        "each record. Both with Nagle's algorithm and without it. Times from connect() on, "
        "the best of %d tries.",
        TRIES);
    measure(TLS1_2_VERSION, old);
    measure(TLS1_3_VERSION, new);
    if (!packet_log()->tunnel) {
        claim_skip(&each_message);
        claim_skip(&nodelay);
    } else if (why) {
        claim_report(&each_message, SKIPPED, "%s", why);
        claim_report(&nodelay, SKIPPED, "%s", why);
    } else {
        report(old, new);
    }
}
