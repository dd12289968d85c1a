// queries.c: scene queries: over UDP an id tells which question an answer belongs to.
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

static char answer[ANSWER_BYTES];

static const struct claim ids = {"1.12", "design patterns",
                                 "UDP is stateless, so a query carries an id (as DNS does)",
                                 HOLDS, NULL};

static const struct claim spoofing = {"1.53", "guide §2.1",
                                      "UDP is susceptible to spoofing attacks: forged answers",
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

// ---- an answer that the server has not sent ------------------------------------------------

// Sends a datagram to the client's socket that says it comes from the server. In its own
// network, on the wire, a program may use any sender's address (ip(7), IP_TRANSPARENT); on the
// internet an attacker writes it into the packet. False, with errno set: it was not possible.
static bool forge(int udp, const char *text)
{
    struct sockaddr_storage from, to;
    socklen_t length = net_address(ask_host(), ask_port(), SOCK_DGRAM, &from);
    socklen_t to_length = sizeof to;
    int fd = socket(from.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
    bool sent = fd >= 0 && !getsockname(udp, (struct sockaddr *)&to, &to_length) &&
                !setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on) &&
                !bind(fd, (struct sockaddr *)&from, length) &&
                sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, to_length) > 0;
    net_give_up(fd);
    return sent;
}

// Asks #20. Two forged answers, with a wrong id and with the right one, come before the
// server's. Returns 0; or errno: they could not be sent.
static int ask_with_forged(int udp, struct query *query)
{
    int order[1], answered = 0;
    if (!forge(udp, "#21 guessed") || !forge(udp, "#20 forged"))
        return errno;
    story_event("an attacker, as the server: \"#21 guessed\", \"#20 forged\"");
    ask_round(udp, query, 1, order, &answered);
    return 0;
}

static void judge_forged(const struct query *query, int error)
{
    if (!packet_log()->tunnel)
        claim_skip(&spoofing);
    else if (error)
        claim_report(&spoofing, SKIPPED, "cannot send with another's address: %s",
                     strerror(error));
    else
        claim_report(&spoofing, holds_if(query->answered && query->right),
                     "two answers with the server's address: the one with a wrong id is "
                     "ignored, the one with the right id is taken for the server's");
}

void scene_queries(void)
{
    int udp = ask_open_udp(), order[4], answered = 0;
    struct query two[] = {{.id = 17, .text = "after 150 slow", .expected = "slow"},
                          {.id = 18, .text = "after 0 fast", .expected = "fast"}};
    struct query lost[] = {{.id = 19, .text = "after 0 third", .expected = "third"}};
    struct query forged = {.id = 20, .text = "after 0 true", .expected = "forged"};
    story_say("Two questions at once; the server needs longer for the first one.");
    story_timeline();
    int rounds = ask_all(udp, two, 2, order, &answered);
    int tries = ask_all(udp, lost, 1, order, &answered), forging = 0;
    if (packet_log()->tunnel)
        forging = ask_with_forged(udp, &forged);
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
    judge_forged(&forged, forging);
}
