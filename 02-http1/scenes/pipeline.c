// pipeline.c: scene pipeline: all requests at once. The answers come in the order of the
// requests, so a slow one delays all that follow it.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "measure.h"
#include "packet_log.h"
#include "round_trips.h"
#include "scenes.h"
#include "story.h"

#define SLOW_MS 400

static const struct claim blocks = {"2.2", "guide §3.1, ch. 18.2, load balancing",
                                    "pipelining: a slow answer delays all that follow", HOLDS,
                                    NULL};

static const struct claim boundaries = {
    "2.35", "guide §11", "one read may bring several requests, or only half of one", HOLDS,
    NULL};

// Two requests and a half in one write(), and the other half when the two are answered. Returns
// how many of the three were answered.
static int ask_two_and_a_half(void)
{
    static const char *const half[] = {"GET / HTT", "P/1.1\r\n" FETCH_HOST "\r\n"};
    struct fetch f;
    int answered = 0;
    ask_open(&f);
    fetch_or_die(&f, fetch_send(&f, "%s%s%s%s%s", half[0], half[1], half[0], half[1], half[0]));
    for (int i = 0; i < 3; i++) {
        if (i == 2)
            fetch_or_die(&f, fetch_send(&f, "%s", half[1]));
        fetch_or_die(&f, fetch_answer(&f));
        answered += f.head.status == 200;
    }
    fetch_close(&f);
    return answered;
}

// Sends REQUESTS requests in one write() (lesson 09 shows why in one), and reads the answers.
// Returns how long that took, in milliseconds.
static double time_pipelined(void)
{
    char all[REQUESTS * 64] = "";
    struct fetch f;
    ask_open(&f);
    int64_t start_ns = now_ns();
    for (int i = 0; i < REQUESTS; i++)
        strcat(all, "GET / HTTP/1.1\r\n" FETCH_HOST "\r\n");
    fetch_or_die(&f, fetch_send(&f, "%s", all));
    for (int i = 0; i < REQUESTS; i++)
        fetch_or_die(&f, fetch_answer(&f));
    double took_ms = ms_since(start_ns);
    fetch_close(&f);
    return took_ms;
}

// Sends two requests at once on one connection. Sets times_ms[i] to the moment when answer i
// is here.
static void time_two(const char *first, const char *second, double times_ms[2])
{
    struct fetch f;
    ask_open(&f);
    story_timeline();
    int64_t start_ns = now_ns();
    story_event("GET %s   GET %s", first, second);
    fetch_or_die(&f, fetch_send(&f,
                                "GET %s HTTP/1.1\r\n" FETCH_HOST
                                "\r\nGET %s HTTP/1.1\r\n" FETCH_HOST "\r\n",
                                first, second));
    for (int i = 0; i < 2; i++) {
        fetch_or_die(&f, fetch_answer(&f));
        times_ms[i] = ms_since(start_ns);
        story_event("answer %d: %.*s", i + 1, ask_first_line(&f), f.content.at);
    }
    story_quiet(true);
    fetch_close(&f);
}

// Returns how long the quickest of TRIES requests takes that no other request delays.
static double time_alone(void)
{
    struct fetch f;
    double quickest_ms = 0;
    ask_open(&f);
    for (int i = 0; i < TRIES; i++) {
        int64_t start_ns = now_ns();
        ask_get(&f, "/");
        double took_ms = ms_since(start_ns);
        if (i == 0 || took_ms < quickest_ms)
            quickest_ms = took_ms;
    }
    fetch_close(&f);
    return quickest_ms;
}

void scene_pipeline(void)
{
    char slow[40];
    double times_ms[2], in_turn_ms = time_requests(true).ms, pipelined_ms = time_pipelined();
    snprintf(slow, sizeof slow, "/slow?ms=%d", SLOW_MS);
    story_say("%d requests on one connection:", REQUESTS);
    story_say("");
    story_bar("each after the last answer", in_turn_ms, in_turn_ms, "%.1f ms", in_turn_ms);
    story_bar("pipelined: all at once", pipelined_ms, in_turn_ms, "%.1f ms", pipelined_ms);
    story_say("");

    story_say("Why do browsers not do this? Two requests: the first is slow, the second is "
              "not.");
    time_two(slow, "/", times_ms);
    double alone_ms = time_alone(), behind_ms = times_ms[1];
    story_head("GET /|answer after");
    story_row("alone|%.1f ms", alone_ms);
    story_row("behind %s|%.1f ms", slow, behind_ms);
    bool delayed = behind_ms >= times_ms[0] && behind_ms > alone_ms + 0.9 * SLOW_MS;
    if (packet_log()->loss > 0)
        claim_report(&blocks, SKIPPED, "on this link a lost packet delays answers as well");
    else
        claim_report(&blocks, holds_if(delayed),
                     "%.0f ms behind an answer that takes %d, %.1f ms alone", behind_ms,
                     SLOW_MS, alone_ms);
    int answered = ask_two_and_a_half();
    claim_report(&boundaries, holds_if(answered == 3),
                 "two requests and a half in one write(), then the rest: %d answers", answered);
}
