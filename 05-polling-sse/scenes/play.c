// play.c: how news reaches a client, and what each way costs.
//
// Run:    ./play               against ./server in another terminal, or, over a distance:
//         make run             or one scene: make run SCENE=techniques ARGS="--rtt 100"
// Watch:  who asks, how often, and how much of that is in vain.
//
// follow.c is the four ways, common/fetch.c the client's half of HTTP; the longer scenes are in
// the files that scenes.h names.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "packet_log.h"
#include "claim.h"
#include "follow.h"
#include "json.h"
#include "net.h"
#include "options.h"
#include "scenes.h"
#include "story.h"
#include "text.h"

#define JOB_MS       800
#define ASK_EVERY_MS 100
#define WAIT_FOR_MS  8000 // less than we are patient
#define ASKED_MAX    200
#define WORDS_A_LINE 10
#define FAR_MS       200 // a round trip in which too many words are made

static struct fetch f; // too large for the stack

// ---- handle --------------------------------------------------------------------------------

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

// Submits a job and hangs up. Returns its handle.
static uint64_t submit(bool *running)
{
    ask_open(&f);
    story_event("POST /jobs?ms=%d   a video, say", JOB_MS);
    int status = ask_status(&f, "POST", "/jobs?ms=800", "a video");
    uint64_t id = 0;
    *running = status == 202 && has_state("running") && json_number(f.content, "id", &id);
    story_event("%d: the handle is /jobs/%llu. We hang up.", status, (unsigned long long)id);
    fetch_close(&f);
    return id;
}

// Asks for the job on a new connection until it is done; returns how often, 0 if it never is.
static int ask_for(uint64_t id, int wait_ms)
{
    char target[60];
    int asked = 0;
    bool done = false;
    snprintf(target, sizeof target, wait_ms ? "/jobs/%llu?wait=%d" : "/jobs/%llu",
             (unsigned long long)id, wait_ms);
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
    return done ? asked : 0;
}

static void scene_handle(void)
{
    bool running[2];
    story_timeline();
    int polls = ask_for(submit(&running[0]), 0);
    story_say("The same again, but the server is to say nothing before there is something to "
              "say:");
    story_timeline();
    int waits = ask_for(submit(&running[1]), WAIT_FOR_MS);
    story_quiet(true);
    claim_report(&at_once, running[0] && running[1] && polls && waits ? HOLDS : UNCLEAR,
                 "202 while the job runs, and no connection is open; asked for on another one, "
                 "it is there");
    if (packet_log()->rtt_ms > JOB_MS / 4 || packet_log()->loss > 0)
        claim_report(&less_chatty, SKIPPED, "on this link %s decide how often one can ask",
                     packet_log()->loss > 0 ? "lost packets" : "round trips");
    else
        claim_report(&less_chatty, waits == 1 && polls > 2 * waits ? HOLDS : UNCLEAR,
                     "%d requests, one every %d ms; with ?wait= %d", polls, ASK_EVERY_MS,
                     waits);
}

// ---- tokens --------------------------------------------------------------------------------

static struct {
    struct event_stream stream;
    int64_t first_ns, last_ns;
    int count;
    bool done;
    char line[200];
} tokens;

static void show_words(void)
{
    if (*tokens.line)
        story_event("%s", tokens.line);
    tokens.line[0] = '\0';
}

static void take_word(const struct stream_event *event)
{
    if (http_is(event->data, "[DONE]")) {
        tokens.done = true;
        return;
    }
    tokens.last_ns = now_ns();
    if (!tokens.count++)
        tokens.first_ns = tokens.last_ns;
    size_t length = strlen(tokens.line);
    snprintf(tokens.line + length, sizeof tokens.line - length, "%.*s", (int)event->data.length,
             event->data.at);
    if (tokens.count % WORDS_A_LINE == 1 || length > 50)
        show_words();
}

// A part of the answer: some events, each of them a word.
static void take_part(struct fetch *from, struct http_text part)
{
    (void)from;
    if (!event_stream_take(&tokens.stream, part, take_word))
        die("a word is too long");
}

static const struct claim token_by_token = {
    "5.11", "guide §15.3", "an answer streams token by token over the answer to a POST", HOLDS,
    NULL};

static void scene_tokens(void)
{
    static const char question[] = "What is a token?";
    ask_open(&f);
    f.piece = take_part;
    story_timeline();
    int64_t start_ns = now_ns();
    story_event("POST /chat   Accept: text/event-stream   %s", question);
    fetch_or_die(&f, fetch_ask(&f, "POST", "/chat", "Accept: text/event-stream\r\n", question));
    show_words();
    story_quiet(true);
    fetch_close(&f);
    double first_ms = ms_between(start_ns, tokens.first_ns);
    double last_ms = ms_between(start_ns, tokens.last_ns);
    story_say("From the question on:");
    story_bar("the first word is here", first_ms, last_ms, "%.0f ms", first_ms);
    story_bar("the last of them", last_ms, last_ms, "%.0f ms", last_ms);
    if (packet_log()->loss > 0 || packet_log()->rtt_ms > FAR_MS)
        claim_report(&token_by_token, SKIPPED, "on this link %s decide when a word is here",
                     packet_log()->loss > 0 ? "lost packets" : "round trips");
    else
        claim_report(&token_by_token,
                     f.head.chunked && tokens.done && tokens.count > 20 &&
                             first_ms * 2 < last_ms
                         ? HOLDS
                         : UNCLEAR,
                     "%d words in one answer, the first after %.0f ms, the last after %.0f; "
                     "EventSource cannot do that: it only says GET",
                     tokens.count, first_ms, last_ms);
}

// --------------------------------------------------------------------------------------------

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8005, readers = 5000, interval_ms = 80;
    static const struct scene scenes[] = {
        {"techniques", "the same news, told in four ways", scene_techniques},
        {"handle", "work that takes longer than a request", scene_handle},
        {"resume", "a stream is cut, and goes on", scene_resume},
        {"frames", "a WebSocket, byte by byte", scene_frames},
        {"tokens", "an answer that is not finished when it begins", scene_tokens},
        {"crowd", "thousands of readers, one event", scene_crowd},
        {"slow", "one of the readers does not read", scene_slow},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"interval-ms", OPTION_INT, &interval_ms, 1, 60000, "ms between two short polls"},
        {"readers", OPTION_INT, &readers, 1, 10000, "in scene crowd"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){"[SCENE]",
                          "Lesson 05: news for clients. Without SCENE all of them: "
                          "techniques, handle,\nresume, frames, tokens, crowd, slow.",
                          options});
    ask_server(host, port);
    techniques_with(interval_ms);
    crowd_of(readers);
    story_begin();
    return story_tell(scenes, argv[first]);
}
