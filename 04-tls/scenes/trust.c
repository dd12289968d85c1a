// trust.c: scene trust: which certificates does a client accept? The server has some that are
// wrong, each in one way. It shows one of them when the client asks for its name.
#include <openssl/pem.h>
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

// ---- revocation ----------------------------------------------------------------------------

static X509 *read_certificate(enum certificate which)
{
    X509 *certificate = NULL;
    struct certificate_files files = ask_files(which);
    BIO *file = BIO_new_file(files.chain, "r");
    if (file)
        certificate = PEM_read_bio_X509(file, NULL, NULL, NULL);
    if (!certificate)
        die("cannot read %s", files.chain);
    BIO_free(file);
    return certificate;
}

static EVP_PKEY *read_key(enum certificate which)
{
    EVP_PKEY *key = NULL;
    struct certificate_files files = ask_files(which);
    BIO *file = BIO_new_file(files.key, "r");
    if (file)
        key = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
    if (!key)
        die("cannot read %s", files.key);
    BIO_free(file);
    return key;
}

// A list of revoked certificates (CRL, RFC 5280 §5), signed by the intermediate CA: the
// certificate of the lesson's server is in it.
static X509_CRL *revoke(void)
{
    X509 *ca = read_certificate(CERTIFICATE_INTERMEDIATE);
    X509 *server = read_certificate(CERTIFICATE_SERVER_ECDSA);
    EVP_PKEY *key = read_key(CERTIFICATE_INTERMEDIATE);
    X509_CRL *list = X509_CRL_new();
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -60), *later = X509_gmtime_adj(NULL, 3600);
    if (!list || !entry || !now || !later || !X509_CRL_set_version(list, 1) ||
        !X509_CRL_set_issuer_name(list, X509_get_subject_name(ca)) ||
        !X509_CRL_set1_lastUpdate(list, now) || !X509_CRL_set1_nextUpdate(list, later) ||
        !X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(server)) ||
        !X509_REVOKED_set_revocationDate(entry, now) || !X509_CRL_add0_revoked(list, entry) ||
        !X509_CRL_sign(list, key, EVP_sha256()))
        die("cannot revoke a certificate");
    ASN1_TIME_free(now);
    ASN1_TIME_free(later);
    EVP_PKEY_free(key);
    X509_free(ca);
    X509_free(server);
    return list;
}

// Connects to the server whose certificate is in the list. The client has this list (NULL:
// none), and is told to check it, or not.
static enum outcome try_revoked(const char *what, X509_CRL *list, bool check,
                                const char *reason)
{
    struct connect_settings settings = ask_settings();
    struct connection *c = connection_prepare(&settings);
    if (list && !X509_STORE_add_crl(SSL_CTX_get_cert_store(c->ctx), list))
        die("OpenSSL does not take the list");
    if (check)
        X509_VERIFY_PARAM_set_flags(SSL_get0_param(c->ssl), X509_V_FLAG_CRL_CHECK);
    bool up = connection_start(c, &settings);
    const char *says = c->why;
    if (up)
        says = "accepted";
    story_say("%-23s%s: %s", what, settings.name, says);
    enum outcome outcome = judge(up, c->why, reason);
    connection_close(c);
    return outcome;
}

// What the client says about a revoked certificate: HOLDS if it refuses it by itself.
static enum verdict show_revocation(void)
{
    X509_CRL *list = revoke();
    story_say("");
    story_say(
        "The CA revokes the certificate: its number is in a list that the CA has signed.");
    story_say("");
    story_say("%-23s%s", "the client", "the name, and what the client says");
    enum outcome usual = try_revoked("has no list", NULL, false, NULL);
    enum outcome has = try_revoked("has the list", list, false, "certificate revoked");
    enum outcome checks =
        try_revoked("has it, and checks it", list, true, "certificate revoked");
    enum outcome lacks =
        try_revoked("checks, without a list", NULL, true, "unable to get certificate CRL");
    X509_CRL_free(list);
    if (usual == TAKEN && has == TAKEN && checks == REFUSED && lacks == REFUSED)
        return NOT_HERE;
    if (has == REFUSED)
        return HOLDS;
    return UNCLEAR;
}

static const struct claim not_revoked = {
    "4.102", "guide §3.5", "your browser checks that a certificate is not revoked", NOT_HERE,
    "A program has to ask for that (OpenSSL: X509_V_FLAG_CRL_CHECK) and to have the list. "
    "Browsers get short lists of their own: README, In production."};
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
    enum verdict revoked = show_revocation(), verdict = UNCLEAR;
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
    claim_report(&not_revoked, revoked,
                 "the revoked certificate is accepted, even with the list at hand; it is "
                 "refused when the client is told to check");
}
