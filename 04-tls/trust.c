// trust.c: scenes trust and mutual: who is at the other end? The server has a certificate for
// each way in which one can be wrong, and shows it to who asks for it by name.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

// ---- trust ---------------------------------------------------------------------------------

static const struct {
    enum certificate which;
    const char *what, *reason; // OpenSSL's; NULL: none, it is good
} cases[] = {
    {CERTIFICATE_SERVER_ECDSA, "nothing is wrong", NULL},
    {CERTIFICATE_OTHER_ECDSA, "nothing: another site", NULL},
    {CERTIFICATE_EXPIRED, "expired last month", "certificate has expired"},
    {CERTIFICATE_WRONG_NAME, "it is for elsewhere.test", "hostname mismatch"},
    {CERTIFICATE_COMMON_NAME, "only its common name is right", "hostname mismatch"},
    {CERTIFICATE_SELF_SIGNED, "signed by itself", "self-signed certificate"},
    {CERTIFICATE_UNKNOWN_CA, "of a CA that nobody knows",
     "unable to get local issuer certificate"},
};

#define CASES (sizeof cases / sizeof *cases)

// Asks for this name. True if the server was refused for this reason; NULL: not refused.
static bool is_as_expected(size_t i)
{
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    settings.name = certificate_host(cases[i].which);
    struct connection *c = connection_open(&settings);
    bool up = c->up && ask(c, "GET", "/", NULL, &reply) && reply.status == 200;
    story_row("%s|%s: %s", cases[i].what, settings.name, up ? "talking" : c->why);
    bool right = cases[i].reason ? !up && !strcmp(c->why, cases[i].reason) : up;
    connection_close(c);
    return right;
}

// The pin of a certificate of the lesson.
static void read_pin(enum certificate which, char hex[2 * PIN_BYTES + 1])
{
    uint8_t hash[PIN_BYTES];
    struct certificate_files files = ask_files(which);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx || SSL_CTX_use_certificate_file(ctx, files.chain, SSL_FILETYPE_PEM) != 1 ||
        !connect_fingerprint(SSL_CTX_get0_certificate(ctx), hash))
        die("cannot read %s", files.chain);
    SSL_CTX_free(ctx);
    for (int i = 0; i < PIN_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}

static bool is_taken(enum certificate asked_for, enum certificate pinned, bool insecure,
                     const char *what)
{
    char pin[2 * PIN_BYTES + 1];
    struct connect_settings settings = ask_settings();
    read_pin(pinned, pin);
    settings.name = certificate_host(asked_for);
    settings.pin = pin;
    settings.insecure = insecure;
    struct connection *c = connection_open(&settings);
    bool up = c->up;
    story_row("%s|%s: %s", what, settings.name, up ? "talking" : c->why);
    connection_close(c);
    return up;
}

static const struct claim checks = {"4.4", "guide §3.5",
                                    "a client checks issuer, dates and name of a certificate",
                                    HOLDS, NULL};
static const struct claim common_name = {
    "4.5", "guide §3.5", "the certificate's common name matches the URL", NOT_HERE,
    "A subjectAltName has to match; the common name is not looked at (RFC 9525 §2), and "
    "browsers stopped doing so in 2017."};
static const struct claim pins = {
    "4.14", "guide §3.3", "you trust the CA, the CA vouches for the site, so you trust it",
    HOLDS, NULL};

void scene_trust(void)
{
    size_t right = 0;
    bool by_common_name = false;
    story_say("The same server, asked for by different names; for each it has a certificate.");
    story_head("what is wrong with it|who was asked for, and what the client says");
    for (size_t i = 0; i < CASES; i++) {
        bool as_expected = is_as_expected(i);
        right += as_expected;
        if (cases[i].which == CERTIFICATE_COMMON_NAME)
            by_common_name = !as_expected;
    }
    story_say("");
    story_say("A pin goes further: this public key, whatever any CA has signed.");
    story_head("the pin|who was asked for, and what the client says");
    bool mine = is_taken(CERTIFICATE_SERVER_ECDSA, CERTIFICATE_SERVER_ECDSA, false, "its key");
    bool others =
        is_taken(CERTIFICATE_OTHER_ECDSA, CERTIFICATE_SERVER_ECDSA, false, "of another key");
    bool alone = is_taken(CERTIFICATE_SELF_SIGNED, CERTIFICATE_SELF_SIGNED, true,
                          "its key, and no CA is asked");
    claim_report(&checks, right == CASES ? HOLDS : UNCLEAR,
                 "of %zu certificates %zu came out as they should: 2 are good, and the others "
                 "are refused, each for its reason",
                 CASES, right);
    claim_report(&common_name, by_common_name ? HOLDS : NOT_HERE,
                 "a certificate for elsewhere.test with the common name common-name.test: "
                 "%s to a client that wants common-name.test",
                 by_common_name ? "good enough" : "not good enough");
    claim_report(&pins, mine && !others && alone ? HOLDS : UNCLEAR,
                 "without a pin any site with a good chain is trusted; with one, the same site "
                 "with another key is refused though a CA vouches for it, and a self-signed "
                 "one is not");
}

// ---- mutual --------------------------------------------------------------------------------

static bool was_asked;

static void see_message(int to_server, int version, int content, const void *bytes,
                        size_t length, SSL *ssl, void *argument)
{
    (void)version, (void)ssl, (void)argument, (void)length;
    if (!to_server && content == SSL3_RT_HANDSHAKE)
        was_asked = was_asked || *(const uint8_t *)bytes == SSL3_MT_CERTIFICATE_REQUEST;
}

// Returns the status of an answer, 0 if there was none.
static int try_with(const char *what, int version, const struct certificate_files *own)
{
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    settings.version = version;
    settings.message = see_message;
    if (own) {
        settings.cert = own->chain;
        settings.key_file = own->key;
    }
    struct connection *c = connection_open(&settings);
    bool was_up = c->up;
    if (ask(c, "GET", "/", NULL, &reply))
        story_row("%s|%d, client certificate: %s", what, reply.status,
                  ask_fact(&reply, "client certificate"));
    else
        story_row("%s|%s%s", what, was_up ? "the handshake is done, and then: " : "", c->why);
    connection_close(c);
    return reply.status;
}

static const struct claim both_ways = {
    "4.15", "guide §3.3", "authentication: a side proves who it is, by a certificate", HOLDS,
    NULL};

void scene_mutual(void)
{
    struct certificate_files student = ask_files(CERTIFICATE_CLIENT);
    struct certificate_files self = ask_files(CERTIFICATE_SELF_SIGNED);
    story_say(
        "Usually only the server shows who it is. This one asks its clients, too (mTLS).");
    story_head("the client shows|what comes of it");
    int without = try_with("nothing, TLS 1.3", TLS1_3_VERSION, NULL);
    int without_1_2 = try_with("nothing, TLS 1.2", TLS1_2_VERSION, NULL);
    int wrong = try_with("one that it has signed itself", TLS1_3_VERSION, &self);
    int with = try_with("one that the CA has signed", TLS1_3_VERSION, &student);
    if (!was_asked)
        claim_report(&both_ways, SKIPPED,
                     "this server asks for no certificate: --require-client-cert");
    else
        claim_report(&both_ways,
                     !without && !without_1_2 && !wrong && with == 200 ? HOLDS : UNCLEAR,
                     "three clients without a good certificate are refused, one with it is "
                     "known by name; in 1.3 the refusal comes after the client's handshake is "
                     "done: it had nothing more to wait for");
}
