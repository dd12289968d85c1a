// tokens.c: scene tokens: an answer is sent word by word, while the server still makes it.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "eventstream.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define WORDS_A_LINE 10
#define FAR_MS       200 // with a longer round trip, the distance decides when a word comes

static struct fetch f; // too large for the stack

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

// Reads a part of the answer: some events, each of which is a word.
static void take_part(struct fetch *from, struct http_text part)
{
    (void)from;
    if (!event_stream_take(&tokens.stream, part, take_word))
        die("a word is too long");
}

static const struct claim token_by_token = {
    "5.11", "guide §4.2, §15.3", "an answer streams token by token over the answer to a POST",
    HOLDS, NULL};

void scene_tokens(void)
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
    story_say("Time from the question:");
    story_bar("to the first word", first_ms, last_ms, "%.0f ms", first_ms);
    story_bar("to the last word", last_ms, last_ms, "%.0f ms", last_ms);
    if (packet_log()->loss > 0) {
        claim_report(&token_by_token, SKIPPED,
                     "on this link lost packets decide when a word comes");
        return;
    }
    if (packet_log()->rtt_ms > FAR_MS) {
        claim_report(&token_by_token, SKIPPED,
                     "on this link the distance decides when a word comes");
        return;
    }
    enum verdict verdict = UNCLEAR;
    if (f.head.chunked && tokens.done && tokens.count > 20 && first_ms * 2 < last_ms)
        verdict = HOLDS;
    claim_report(&token_by_token, verdict,
                 "%d words in one answer, the first after %.0f ms, the last after %.0f. "
                 "EventSource cannot do that: it sends only GET",
                 tokens.count, first_ms, last_ms);
}
