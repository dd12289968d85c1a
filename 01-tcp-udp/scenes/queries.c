// queries.c: scene queries: over UDP an id tells which question an answer belongs to.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

static char answer[ANSWER_BYTES];

static const struct claim ids = {"1.12", "design patterns",
                                 "UDP is stateless, so a query carries an id (as DNS does)",
                                 HOLDS, NULL};

struct query {
    int id;
    const char *text;     // of the question, behind "#ID "
    const char *expected; // of the answer
    bool answered;
    bool right; // the answer was the expected one
};

// Sends the queries that are still open. Then takes answers until all have come, or the time is
// over. Returns how many queries are open. The ids of the answers go to `order`.
static int ask_round(int udp, struct query *queries, int count, int *order, int *answered)
{
    int open = 0, id, used = 0;
    for (int i = 0; i < count; i++) {
        char text[80];
        if (queries[i].answered)
            continue;
        snprintf(text, sizeof text, "#%d %s", queries[i].id, queries[i].text);
        story_event("send(\"%s\")", text);
        send_all(udp, text, strlen(text));
        open++;
    }
    int64_t until_ns = now_ns() + ask_timeout_ms() * INT64_C(1000000);
    while (open && await_udp(udp, answer, until_ns)) {
        if (sscanf(answer, "#%d %n", &id, &used) != 1)
            continue;
        for (int i = 0; i < count; i++) {
            if (queries[i].id != id || queries[i].answered)
                continue;
            story_event("recv() \"%s\": the answer to #%d", answer, id);
            queries[i].answered = true;
            queries[i].right = !strcmp(answer + used, queries[i].expected);
            open--;
            order[(*answered)++] = id;
        }
    }
    return open;
}

// Asks until all queries have an answer. Returns how many rounds that took.
static int ask_all(int udp, struct query *queries, int count, int *order, int *answered)
{
    int rounds = 1;
    while (ask_round(udp, queries, count, order, answered) && rounds < TRIES_MAX) {
        story_event("no answer within %d ms: ask again", ask_timeout_ms());
        rounds++;
    }
    return rounds;
}

void scene_queries(void)
{
    int udp = ask_open_udp(), order[4], answered = 0;
    struct query two[] = {{.id = 17, .text = "after 150 slow", .expected = "slow"},
                          {.id = 18, .text = "after 0 fast", .expected = "fast"}};
    struct query lost[] = {{.id = 19, .text = "after 0 third", .expected = "third"}};
    story_say("Two questions at once; the server needs longer for the first one.");
    story_timeline();
    int rounds = ask_all(udp, two, 2, order, &answered);
    int tries = ask_all(udp, lost, 1, order, &answered);
    close(udp);
    bool all = two[0].answered && two[1].answered && lost[0].answered;
    bool right = two[0].right && two[1].right && lost[0].right;
    bool overtaken = order[0] == 18 && order[1] == 17;
    if (!all)
        claim_report(&ids, SKIPPED, "one question had no answer in %d tries", TRIES_MAX);
    else if (right && !overtaken && rounds > 1)
        claim_report(&ids, SKIPPED, "a lost packet kept the answers in the questions' order");
    else
        claim_report(&ids, holds_if(overtaken && right),
                     "#17 and #18 answered in the order #%d, #%d; tries for #19: %d", order[0],
                     order[1], tries);
}
