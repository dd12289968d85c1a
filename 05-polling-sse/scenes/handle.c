// handle.c: scene handle: a job takes longer than a request should. The server answers with a
// handle, and the client asks for the result later, in two ways.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "json.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define JOB_MS       800
#define ASK_EVERY_MS 100
#define WAIT_FOR_MS  8000 // a client waits longer than this for an answer: FETCH_PATIENCE_MS
#define ASKED_MAX    200

static struct fetch f; // too large for the stack

static const struct claim at_once = {
    "5.13", "design patterns", "the server answers at once with a handle; one can disconnect",
    HOLDS, NULL};

static const struct claim less_chatty = {"5.14", "design patterns",
                                         "polling a handle is chatty; long polling is less so",
                                         HOLDS, NULL};

// True if the answer says that the job is in this state.
static bool has_state(const char *state)
{
    struct buffer text = {0};
    bool known = json_string(f.content, "state", &text);
    bool same = known && http_is((struct http_text){text.bytes, text.length}, state);
    buffer_free(&text);
    return same;
}

// Submits a job and closes the connection. Returns the job's handle.
static uint64_t submit(bool *running)
{
    ask_open(&f);
    story_event("POST /jobs?ms=%d   content: a video", JOB_MS);
    int status = ask_status(&f, "POST", "/jobs?ms=800", "a video");
    uint64_t id = 0;
    *running = status == 202 && has_state("running") && json_number(f.content, "id", &id);
    story_event("%d: the handle is /jobs/%llu. The client disconnects.", status,
                (unsigned long long)id);
    fetch_close(&f);
    return id;
}

// Asks for the job on a new connection until it is done. Returns how often it has asked, 0 if
// the job is not done after ASKED_MAX requests.
static int ask_for(uint64_t id, int wait_ms)
{
    char target[60];
    int asked = 0;
    bool done = false;
    snprintf(target, sizeof target, "/jobs/%llu?wait=%d", (unsigned long long)id, wait_ms);
    if (wait_ms == 0)
        *strchr(target, '?') = '\0';
    ask_open(&f);
    while (!done && asked < ASKED_MAX) {
        if (asked++)
            sleep_ms(ASK_EVERY_MS);
        if (ask_status(&f, "GET", target, NULL) != 200)
            die("GET %s: the server says %d", target, f.head.status);
        struct http_text result = {"", 0};
        uint64_t progress = 0;
        done = has_state("done") && json_member(f.content, "result", &result);
        if (!json_number(f.content, "progress", &progress))
            die("GET %s: the answer does not say how far it is", target);
        story_event("%3d %%  %.*s", (int)progress, (int)result.length, result.at);
    }
    fetch_close(&f);
    if (!done)
        return 0;
    return asked;
}

void scene_handle(void)
{
    bool running[2];
    story_timeline();
    int polls = ask_for(submit(&running[0]), 0);
    story_say("The same again, but with ?wait=: the server answers when the job is done.");
    story_timeline();
    int waits = ask_for(submit(&running[1]), WAIT_FOR_MS);
    story_quiet(true);
    enum verdict verdict = UNCLEAR;
    if (running[0] && running[1] && polls && waits)
        verdict = HOLDS;
    claim_report(&at_once, verdict,
                 "the answer is 202 while the job runs. The client disconnects, and gets the "
                 "result on another connection");
    if (packet_log()->loss > 0) {
        claim_report(&less_chatty, SKIPPED,
                     "on this link lost packets decide how often one asks");
        return;
    }
    if (packet_log()->rtt_ms > JOB_MS / 4) {
        claim_report(&less_chatty, SKIPPED,
                     "on this link round trips decide how often one asks");
        return;
    }
    verdict = UNCLEAR;
    if (waits == 1 && polls > 2 * waits)
        verdict = HOLDS;
    claim_report(&less_chatty, verdict, "%d requests, one every %d ms; with ?wait= %d", polls,
                 ASK_EVERY_MS, waits);
}
