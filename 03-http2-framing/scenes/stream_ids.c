// stream_ids.c: scene stream_ids: the numbers of streams.
#include <stdio.h>

#include "claim.h"
#include "frame_names.h"
#include "h2_client.h"
#include "scenes.h"
#include "story.h"

#define ASKED 3

static struct h2_client client; // too large for the stack

static struct {
    uint32_t streams[ASKED + 1]; // the streams on which HEADERS came
    int count, even;             // how many of them, and how many have an even number
} answers;

static void see_answer(struct h2_client *t, bool to_server, const struct frame *frame)
{
    (void)t;
    if (to_server || frame->type != FRAME_HEADERS)
        return;
    if (answers.count <= ASKED)
        answers.streams[answers.count++] = frame->stream;
    answers.even += frame->stream % 2 == 0;
}

// Asks on stream `first`, and then on stream `second` (0: does not). True: the connection ends
// with this error.
static bool is_refused(const char *name, uint32_t first, uint32_t second, enum error_code code)
{
    h2_open(&client, 0, NULL);
    client.next_stream = first;
    h2_get(&client, "/");
    if (second) {
        h2_await(&client, first);
        client.next_stream = second;
        h2_get(&client, "/");
    }
    h2_await_all(&client);
    if (client.receiver.went_away)
        h2_await_end(&client);
    uint32_t last = first;
    if (second)
        last = second;
    if (client.receiver.went_away) {
        story_row("%s|GOAWAY %s:", name, error_code_name(client.receiver.goaway_code));
        story_row("|%s", client.receiver.goaway_text);
    } else {
        story_row("%s|answered with status %d", name, h2_answer(&client, last)->status);
    }
    bool refused =
        client.receiver.went_away && client.receiver.goaway_code == code && client.closed;
    h2_close(&client);
    return refused;
}

static const struct claim even_responses = {
    "3.2", "guide §3.2", "stream ids: odd for requests, even for server responses", NOT_HERE,
    "A response comes on the stream of its request. Even numbers are for streams that a server "
    "opens: for pushes (RFC 9113 §5.1.1)."};

static const struct claim one_two_three = {
    "3.3", "ch. 18.2", "three requests are streams 1, 2 and 3", NOT_HERE,
    "A client's streams are odd, and each is higher than the last: 1, 3, 5 (RFC 9113 §5.1.1)."};

void scene_stream_ids(void)
{
    static const struct h2_listener listener = {.frame = see_answer};
    uint32_t streams[ASKED];
    int right = 0;
    h2_open(&client, 0, &listener);
    for (int i = 0; i < ASKED; i++) {
        char path[40];
        snprintf(path, sizeof path, "/img/%d?size=%d", i + 1, 100 * (i + 1));
        streams[i] = h2_get(&client, path);
    }
    h2_await_all(&client);
    story_say("Three requests at once. Each image has its own size.");
    story_head("request|on stream|answer on|content");
    for (int i = 0; i < ASKED; i++) {
        const struct response *response = h2_answer(&client, streams[i]);
        right += answers.streams[i] == streams[i] && response->status == 200 &&
                 response->content_bytes == 100u * (unsigned)(i + 1);
        story_row("GET /img/%d?size=%d|%u|%u|%llu bytes", i + 1, 100 * (i + 1), streams[i],
                  answers.streams[i], (unsigned long long)response->content_bytes);
    }
    h2_close(&client);
    story_head("a request on stream|answer");
    bool even = is_refused("2: even", 2, 0, PROTOCOL_ERROR);
    bool lower = is_refused("5, then 3: lower", 5, 3, PROTOCOL_ERROR);
    bool again = is_refused("1, then 1: closed", 1, 1, STREAM_CLOSED);
    enum verdict seen = UNCLEAR;
    if (answers.even)
        seen = HOLDS;
    else if (right == ASKED && answers.count == ASKED)
        seen = NOT_HERE;
    claim_report(&even_responses, seen,
                 "%d answers, on the streams %u, %u and %u of their requests; %d on even ones",
                 answers.count, answers.streams[0], answers.streams[1], answers.streams[2],
                 answers.even);
    seen = UNCLEAR;
    if (even && lower && again)
        seen = NOT_HERE;
    else if (!even)
        seen = HOLDS;
    claim_report(&one_two_three, seen,
                 "a request on stream 2 is the end of the connection; so is 3 after 5");
}
