// replay.c: scenes replay and once: early data goes with the client's first bytes, before the
// server has said anything of its own. So whoever has recorded these bytes can send them again.
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "http.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define STATEFUL_TICKET 32 // bytes: a mere number, of a session that the server remembers

// How many transfers the server has made so far.
static int count_transfers(void)
{
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    struct connection *c = connection_open(&settings);
    if (!ask(c, "GET", "/transfers", NULL, &reply))
        die("no answer from the server: %s", c->why);
    connection_close(c);
    return atoi(reply.content);
}

// A session of 1.3 that was not used yet.
static SSL_SESSION *get_session(void)
{
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    settings.version = TLS1_3_VERSION;
    struct connection *c = connection_open(&settings);
    if (!ask(c, "GET", "/", NULL, &reply) || !c->session)
        die("no session from the server: %s", c->why);
    SSL_SESSION *session = c->session;
    c->session = NULL;
    connection_close(c);
    return session;
}

// A POST as early data; uses the session up. Returns the answer's status, 0 if the early data
// was not taken; the recording of the first bytes is in *flight.
static int post_early(const char *path, SSL_SESSION *session, uint8_t flight[TAP_BYTES],
                      size_t *length)
{
    char text[ASK_BYTES];
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    settings.version = TLS1_3_VERSION;
    settings.session = session;
    settings.early = ask_text(text, "POST", WORKBENCH, path, "");
    struct connection *c = connection_open(&settings);
    if (c->early_taken && !ask_read(c, &reply))
        die("no answer from the server: %s", c->why);
    *length = tap_first_flight(&c->tap);
    memcpy(flight, c->tap.bytes[true], *length);
    connection_close(c);
    SSL_SESSION_free(session);
    return reply.status;
}

// The thief's part: no keys, only bytes, on a connection of his own. He waits for what the
// server says to them, of which he can read nothing.
static size_t send_again(const uint8_t *flight, size_t length)
{
    uint8_t bytes[4096];
    int fd = connect_tcp();
    ssize_t got = -1;
    if (write_all(fd, flight, length) && !shutdown(fd, SHUT_WR))
        got = read(fd, bytes, sizeof bytes);
    close(fd);
    return got > 0 ? (size_t)got : 0;
}

static bool takes_early_data(SSL_SESSION *session, bool *stateful)
{
    const unsigned char *ticket;
    size_t length;
    SSL_SESSION_get0_ticket(session, &ticket, &length);
    *stateful = length == STATEFUL_TICKET;
    bool takes = SSL_SESSION_get_max_early_data(session) > 0;
    SSL_SESSION_free(session);
    return takes;
}

struct outcome {
    int status;      // of the answer to the first transfer; 0: the early data was not taken
    size_t answered; // bytes that the server said to the replay; 0: there was none
    int transfers;   // that came of it, with the first
};

// Records a transfer, and sends it once more.
static struct outcome transfer_and_replay(void)
{
    static uint8_t flight[TAP_BYTES];
    struct outcome outcome = {0};
    size_t length;
    int before = count_transfers();
    SSL_SESSION *session = get_session();
    story_timeline();
    story_event("POST /transfer, as early data");
    outcome.status = post_early("/transfer", session, flight, &length);
    if (outcome.status)
        story_event("answer: %d", outcome.status);
    else
        story_event("the early data was not taken");
    story_event("somebody else: the same %zu bytes again", length);
    outcome.answered = send_again(flight, length);
    if (outcome.answered)
        story_event("somebody else: %zu bytes of an answer that he cannot read",
                    outcome.answered);
    else
        story_event("somebody else: no answer");
    story_quiet(true);
    outcome.transfers = count_transfers() - before;
    story_say("GET /transfers says: %d more than before.", outcome.transfers);
    return outcome;
}

// The verdict if one transfer came of it, and if two did. Without an answer to the first one,
// and to the replay, nothing was tried.
static enum verdict judge(const struct outcome *outcome, enum verdict once, enum verdict twice)
{
    if (outcome->status != 200 || !outcome->answered)
        return UNCLEAR;
    return outcome->transfers == 1 ? once : outcome->transfers == 2 ? twice : UNCLEAR;
}

static void report_replay(const struct claim *claim, enum verdict verdict,
                          const struct outcome *outcome)
{
    claim_report(claim, verdict,
                 "transfers wanted: 1, made: %d; the first answered with %d, the same bytes "
                 "again with %zu bytes",
                 outcome->transfers, outcome->status, outcome->answered);
}

static const struct claim replayed = {
    "4.8", "guide §3.5", "0-RTT has to be implemented carefully: replay attacks", HOLDS, NULL};
static const struct claim safe = {"4.18", "guide §3.5",
                                  "careful: what must not happen twice waits for the handshake",
                                  HOLDS, NULL};

void scene_replay(void)
{
    static uint8_t flight[TAP_BYTES];
    size_t length;
    bool stateful;
    if (!takes_early_data(get_session(), &stateful) || stateful) {
        const char *why = stateful ? "this server remembers its sessions: --anti-replay off"
                                   : "this server takes no early data: --early-data";
        claim_report(&replayed, SKIPPED, "%s", why);
        claim_report(&safe, SKIPPED, "%s", why);
        return;
    }
    story_say(
        "This server was told to be careless (--anti-replay off). A client moves money, and");
    story_say("somebody on the way records its first bytes.");
    struct outcome outcome = transfer_and_replay();
    int refused = post_early("/safe-transfer", get_session(), flight, &length);
    int late = count_transfers();
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    struct connection *c = connection_open(&settings);
    bool done = ask(c, "POST", "/safe-transfer", "", &reply) && reply.status == 200;
    connection_close(c);
    story_head("POST /safe-transfer|");
    if (refused)
        story_row("as early data|%d %s", refused, http_reason(refused));
    else
        story_row("as early data|not taken");
    story_row("after the handshake|%d", reply.status);
    report_replay(&replayed, judge(&outcome, NOT_HERE, HOLDS), &outcome);
    claim_report(
        &safe, refused == 425 && done && count_transfers() == late + 1 ? HOLDS : UNCLEAR,
        "%d as early data, %d after the handshake (RFC 8470 §5.2)", refused, reply.status);
}

static const struct claim once = {"4.19", "guide §3.5",
                                  "carefully implemented, 0-RTT is not replayed", HOLDS, NULL};

void scene_once(void)
{
    bool stateful;
    if (!takes_early_data(get_session(), &stateful)) {
        claim_report(&once, SKIPPED, "this server takes no early data: --early-data");
        return;
    }
    story_say(
        "The same, but this server strikes each session off its list when it is used (RFC");
    story_say(
        "8446 §8.1). To the same bytes it answers with a handshake, and throws the early");
    story_say("data away.");
    struct outcome outcome = transfer_and_replay();
    report_replay(&once, judge(&outcome, HOLDS, NOT_HERE), &outcome);
}
