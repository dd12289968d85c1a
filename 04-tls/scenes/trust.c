// trust.c: scene trust: which certificates does a client accept? The server has some that are
// wrong, each in one way. It shows one of them when the client asks for its name.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

static const struct {
    enum certificate which;
    const char *what;
    const char *reason; // OpenSSL's words for the error; NULL: the certificate is good
} cases[] = {
    {CERTIFICATE_SERVER_ECDSA, "nothing is wrong", NULL},
    {CERTIFICATE_OTHER_ECDSA, "nothing: another site", NULL},
    {CERTIFICATE_EXPIRED, "expired last month", "certificate has expired"},
    {CERTIFICATE_WRONG_NAME, "for elsewhere.test", "hostname mismatch"},
    {CERTIFICATE_COMMON_NAME, "only the common name", "hostname mismatch"},
    {CERTIFICATE_SELF_SIGNED, "signed by itself", "self-signed certificate"},
    {CERTIFICATE_UNKNOWN_CA, "of an unknown CA", "unable to get local issuer certificate"},
};

#define CASES (int)(sizeof cases / sizeof *cases)

enum outcome {
    TAKEN,
    REFUSED,
    FAILED
}; // REFUSED: for the expected reason; FAILED: for another one

static enum outcome judge(bool up, const char *why, const char *reason)
{
    if (up)
        return TAKEN;
    if (reason && !strcmp(why, reason))
        return REFUSED;
    return FAILED;
}

// Connects with the name of one certificate.
static enum outcome try_case(int i)
{
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    settings.name = certificate_host(cases[i].which);
    struct connection *c = connection_open(&settings);
    bool up = c->up && ask(c, "GET", "/", NULL, &reply) && reply.status == 200;
    const char *says = c->why;
    if (up)
        says = "accepted";
    story_say("%-23s%s: %s", cases[i].what, settings.name, says);
    enum outcome outcome = judge(up, c->why, cases[i].reason);
    connection_close(c);
    return outcome;
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

static enum outcome try_pin(enum certificate asked_for, enum certificate pinned, bool insecure,
                            const char *what)
{
    char pin[2 * PIN_BYTES + 1];
    struct connect_settings settings = ask_settings();
    read_pin(pinned, pin);
    settings.name = certificate_host(asked_for);
    settings.pin = pin;
    settings.insecure = insecure;
    struct connection *c = connection_open(&settings);
    const char *says = c->why;
    if (c->up)
        says = "accepted";
    story_say("%-23s%s: %s", what, settings.name, says);
    enum outcome outcome = judge(c->up, c->why, "the server's key is not the pinned one");
    connection_close(c);
    return outcome;
}

static const struct claim checks = {
    "4.4", "guide §3.5",
    "a client checks issuer, dates, domain (and, says the note, revocation)", HOLDS, NULL};
static const struct claim common_name = {
    "4.5", "guide §3.5", "the certificate's common name matches the URL", NOT_HERE,
    "A subjectAltName has to match; the common name is not looked at (RFC 9525 §2), and "
    "browsers stopped doing so in 2017."};
static const struct claim pins = {
    "4.14", "guide §3.3, §3.5",
    "you trust the CA, the CA vouches for the site, so you trust it", HOLDS, NULL};

void scene_trust(void)
{
    static const char *const names[] = {"taken", "refused", "failed"};
    int good = 0, refused = 0;
    enum outcome by_common_name = FAILED;
    story_say(
        "The client asks the same server for different names. For each name the server has a "
        "certificate.");
    story_say("");
    story_say("%-23s%s", "what is wrong with it", "the name, and what the client says");
    for (int i = 0; i < CASES; i++) {
        enum outcome outcome = try_case(i);
        good += outcome == TAKEN && !cases[i].reason;
        refused += outcome == REFUSED;
        if (cases[i].which == CERTIFICATE_COMMON_NAME)
            by_common_name = outcome;
    }
    story_say("");
    story_say("A pin is stricter: the client accepts only this public key.");
    story_say("");
    story_say("%-23s%s", "the pin", "the name, and what the client says");
    enum outcome mine =
        try_pin(CERTIFICATE_SERVER_ECDSA, CERTIFICATE_SERVER_ECDSA, false, "its key");
    enum outcome others =
        try_pin(CERTIFICATE_OTHER_ECDSA, CERTIFICATE_SERVER_ECDSA, false, "of another key");
    enum outcome alone = try_pin(CERTIFICATE_SELF_SIGNED, CERTIFICATE_SELF_SIGNED, true,
                                 "its key, without a CA");
    enum verdict verdict = UNCLEAR;
    if (good + refused == CASES)
        verdict = HOLDS;
    claim_report(&checks, verdict,
                 "of %d certificates, good ones taken: %d; wrong ones refused, each for its "
                 "own reason: %d; neither: %d",
                 CASES, good, refused, CASES - good - refused);
    verdict = UNCLEAR;
    if (by_common_name == TAKEN)
        verdict = HOLDS;
    else if (by_common_name == REFUSED)
        verdict = NOT_HERE;
    claim_report(&common_name, verdict,
                 "a certificate for elsewhere.test with the common name common-name.test, for "
                 "a client that wants common-name.test: %s",
                 names[by_common_name]);
    bool pinned = mine == TAKEN && others == REFUSED && alone == TAKEN;
    const char *remark = "";
    verdict = UNCLEAR;
    if (pinned) {
        verdict = HOLDS;
        remark = ". Without a pin the client trusts any certificate that a CA has signed";
    }
    claim_report(&pins, verdict,
                 "with a pin: its key %s, another key %s, its key in a self-signed "
                 "certificate %s%s",
                 names[mine], names[others], names[alone], remark);
}
