// reuse.c: scene reuse: a new connection for each request, or one connection for all of them.
#include <stdio.h>

#include "ask.h"
#include "claim.h"
#include "packet_log.h"
#include "round_trips.h"
#include "scenes.h"
#include "story.h"

static const struct claim saves = {"2.1", "guide §3.1, §7, load balancing",
                                   "keep-alive saves a handshake a request", HOLDS, NULL};

static const struct claim introduced = {
    "2.7", "guide §3.1", "HTTP/1.1 introduced the Keep-Alive header to reuse connections",
    NOT_HERE,
    "HTTP/1.1 needs no field: a connection stays open until one side says Connection: close "
    "(RFC 9112 §9.3). Asking with Connection: keep-alive is what HTTP/1.0 needs."};

static void show_two_requests(void)
{
    struct fetch f;
    story_say(
        "Two requests on one connection. The first needs a handshake, the second does not.");
    story_timeline();
    ask_open(&f);
    for (int i = 0; i < 2; i++) {
        story_event("GET /");
        ask_get(&f, "/");
        story_event("%d, %zu bytes of content", f.head.status, (size_t)f.content_bytes);
    }
    story_quiet(true);
    fetch_close(&f);
}

static void show_times(struct timed each, struct timed one)
{
    char title[40];
    double rtt_ms = packet_log()->rtt_ms;
    snprintf(title, sizeof title, "%d requests|handshakes|time|round trips", REQUESTS);
    story_head(title);
    if (packet_log()->tunnel && rtt_ms > 0) {
        story_row("a new connection each|%d|%.0f ms|%.1f", each.handshakes, each.ms,
                  each.ms / rtt_ms);
        story_row("one connection for all|%d|%.0f ms|%.1f", one.handshakes, one.ms,
                  one.ms / rtt_ms);
    } else {
        story_row("a new connection each|?|%.1f ms|?", each.ms);
        story_row("one connection for all|?|%.1f ms|?", one.ms);
    }
}

static void judge_times(struct timed each, struct timed one)
{
    double rtt_ms = packet_log()->rtt_ms;
    bool saved = each.handshakes == REQUESTS && one.handshakes == 1 && each.ms > 1.5 * one.ms;
    if (!packet_log()->tunnel)
        claim_skip(&saves);
    else if (no_round_trips())
        claim_report(&saves, SKIPPED, "%s", no_round_trips());
    else
        claim_report(&saves, holds_if(saved),
                     "%.1f round trips, %.1f with a connection each, for %d requests",
                     one.ms / rtt_ms, each.ms / rtt_ms, REQUESTS);
}

// Which versions of HTTP keep a connection open after an answer, and what has to be said.
static void show_persistence(void)
{
    static const struct {
        const char *name, *request;
        bool stays;
    } cases[] = {{"HTTP/1.1", "GET / HTTP/1.1\r\nHost: workbench\r\n\r\n", true},
                 {"HTTP/1.1, Connection: close",
                  "GET / HTTP/1.1\r\nHost: workbench\r\nConnection: close\r\n\r\n", false},
                 {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", false},
                 {"HTTP/1.0, Connection: keep-alive",
                  "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true}};
    static const char *const open[] = {"closed", "open"}, *const yes[] = {"no", "yes"};
    int as_told = 0, fields = 0;
    story_head("after the answer, the connection|is open?|says so?");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fetch f;
        ask_open(&f);
        ask(&f, cases[i].request);
        bool says = http_field(&f.head, "connection").at;
        if (http_field(&f.head, "keep-alive").at)
            fields++;
        bool stays = cases[i].stays || !ask_ends(&f);
        if (stays)
            ask_get(&f, "/"); // ends the program if the connection is not open
        if (stays == cases[i].stays)
            as_told++;
        story_row("%s|%s|%s", cases[i].name, open[stays], yes[says]);
        fetch_close(&f);
    }
    enum verdict verdict = UNCLEAR;
    if (fields)
        verdict = HOLDS;
    else if (as_told == 4)
        verdict = NOT_HERE;
    claim_report(&introduced, verdict,
                 "%d of 4 connections as above; Keep-Alive fields in their answers: %d",
                 as_told, fields);
}

void scene_reuse(void)
{
    struct timed each = {0}, one = {0};
    show_two_requests();
    // Once, unless another program on this machine has disturbed the measurement.
    for (int i = 0; i < TRIES && each.ms <= 1.5 * one.ms; i++) {
        each = time_requests(false);
        one = time_requests(true);
    }
    show_times(each, one);
    judge_times(each, one);
    show_persistence();
}
