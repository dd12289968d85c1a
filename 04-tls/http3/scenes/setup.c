// setup.c: scene setup: how many round trips pass until the first byte of an answer is there.
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "connect.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"

#define TRIES         2
#define TRIES_BUSY    20 // on a machine that is busy: a try takes longer there, never shorter
#define NO_RETRY_PORT 8305
#define RTT_MIN_MS    40 // a busy machine must not look like a round trip

enum way { PLAIN_TCP, TLS_1_2, TLS_1_3, QUIC_RETRY, QUIC_TOKEN, QUIC_AT_ONCE, WAYS };

static const char *const names[WAYS] = {[PLAIN_TCP] = "TCP, no TLS",
                                        [TLS_1_2] = "TCP, TLS 1.2",
                                        [TLS_1_3] = "TCP, TLS 1.3",
                                        [QUIC_RETRY] = "QUIC, a client that is new",
                                        [QUIC_TOKEN] = "QUIC, with a token of before",
                                        [QUIC_AT_ONCE] = "QUIC, server without Retry"};

// Round trips until the first byte of an answer: the claim is that there are so many.
static const int claimed[WAYS] = {[PLAIN_TCP] = 2,  [TLS_1_2] = 4,    [TLS_1_3] = 3,
                                  [QUIC_RETRY] = 3, [QUIC_TOKEN] = 3, [QUIC_AT_ONCE] = 2};

// ---- one try -------------------------------------------------------------------------------

// Each returns the time until the first byte of an answer. TCP: lesson 04's server.
static double try_tcp(int version)
{
    struct connect_settings settings = ask_settings();
    struct reply reply = {0};
    char text[ASK_BYTES];
    int64_t start_ns = now_ns();
    connect_to(stage_host, STAGE_TLS_PORT);
    if (!version) { // its port is for TLS: the answer is a 400, as fast as any other
        int fd = connect_tcp();
        ask_text(text, "GET", WORKBENCH, "/", NULL);
        if (!write_all(fd, text, strlen(text)) || read(fd, text, 1) != 1)
            die("lesson 04's server does not answer");
        double ms = (double)(now_ns() - start_ns) / 1e6;
        close(fd);
        return ms;
    }
    settings.version = version;
    struct connection *c = connection_open(&settings);
    if (!c->up || !ask(c, "GET", "/", NULL, &reply))
        die("lesson 04's server does not answer: %s", c->why);
    double ms = (double)(reply.first_ns - start_ns) / 1e6;
    connection_close(c);
    return ms;
}

static double try_quic(SSL_CTX *ctx, int port)
{
    static struct h3_client client;
    struct answer answer = {0};
    stage_connect(&client, ctx, stage_host, port);
    stage_ask(&client, &answer, "/");
    if (!stage_await(&client))
        die("the server does not answer: %s", answer.why);
    double ms = (double)(answer.first_ns - client.opened_ns) / 1e6;
    h3_close(&client);
    return ms;
}

static double try_once(enum way way)
{
    static SSL_CTX *known; // knows the token that the server has given before
    if (way <= TLS_1_3) {
        static const int versions[] = {0, TLS1_2_VERSION, TLS1_3_VERSION};
        return try_tcp(versions[way]);
    }
    if (way == QUIC_TOKEN)
        return try_quic(known, stage_port);
    int port = stage_port;
    if (way == QUIC_AT_ONCE)
        port = NO_RETRY_PORT;
    SSL_CTX *ctx = stage_context();
    double ms = try_quic(ctx, port);
    if (way == QUIC_RETRY) {
        SSL_CTX_free(known);
        known = ctx;
    } else {
        SSL_CTX_free(ctx);
    }
    return ms;
}

// ---- early data ----------------------------------------------------------------------------

// Tries to send a request before the handshake, as TLS over TCP can in a session that allows it
// (scene round_trips of lesson 04). True if OpenSSL takes it.
static bool takes_early_data(void)
{
    SSL_CTX *ctx = stage_context();
    SSL *ssl = quic_connection(ctx, stage_host, stage_port, WORKBENCH);
    size_t written = 0;
    bool taken = SSL_write_early_data(ssl, "GET", 3, &written) == 1 && written == 3;
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return taken;
}

static const struct claim one_step = {
    "4.41", "guide §3.4", "QUIC's transport handshake and TLS's are one step", HOLDS, NULL};

static const struct claim no_wait = {
    "4.80", "guide §3.4", "for repeat connections 0-RTT sends data immediately", NOT_HERE,
    "QUIC has it (RFC 9001 §4.6), OpenSSL 3.5 does not: SSL_write_early_data() refuses a QUIC "
    "connection, and there is no call that allows it on a server."};

static void judge(const int trips[WAYS])
{
    bool good =
        trips[QUIC_TOKEN] <= claimed[QUIC_TOKEN]; // with a token that is accepted: fewer
    for (int way = 0; way < WAYS; way++)
        good &= way == QUIC_TOKEN || trips[way] == claimed[way];
    if (!packet_log()->tunnel) {
        claim_skip(&one_step);
    } else if (packet_log()->rtt_ms < RTT_MIN_MS || packet_log()->loss > 0) {
        claim_report(&one_step, SKIPPED, "needs --rtt %d or more, and no loss", RTT_MIN_MS);
    } else {
        claim_report(&one_step, holds_if(good),
                     "%d round trips, as TCP without TLS; TLS 1.3 over TCP takes %d. A Retry "
                     "makes it %d",
                     trips[QUIC_AT_ONCE], trips[TLS_1_3], trips[QUIC_RETRY]);
    }
}

void scene_setup(void)
{
    double best[WAYS];
    int trips[WAYS];
    enum verdict early = NOT_HERE;
    bool tunnel = packet_log()->tunnel;
    story_say(
        "A server that gets a UDP packet does not know that its sender is there. So it may "
        "first send a token by a Retry, and wait until the token comes back (RFC 9000 "
        "§8.1). TCP's handshake does the same.");
    for (int way = 0; way < WAYS && tunnel; way++) {
        for (int i = 0; i < TRIES || (i < TRIES_BUSY && trips[way] > claimed[way]); i++) {
            double ms = try_once((enum way)way);
            if (i == 0 || ms < best[way])
                best[way] = ms;
            trips[way] = (int)(best[way] / packet_log()->rtt_ms);
        }
    }
    if (tunnel)
        story_head("until the first byte of an answer|round trips|time");
    for (int way = 0; way < WAYS && tunnel; way++)
        story_row("%s|%d|%.0f ms", names[way], trips[way], best[way]);
    if (tunnel)
        story_say("");
    if (tunnel && trips[QUIC_TOKEN] == trips[QUIC_RETRY])
        story_say(
            "A server gives its clients a token for the next time, which saves the Retry. "
            "This client sends it, but this version of OpenSSL does not accept the tokens "
            "that it has given: 16 bytes too many are at their end.");
    judge(trips);
    if (takes_early_data())
        early = HOLDS;
    claim_report(&no_wait, early,
                 "a request before the handshake: SSL_write_early_data() refuses");
}
