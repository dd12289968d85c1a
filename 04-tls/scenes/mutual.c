// mutual.c: scene mutual: mutual TLS: the server also asks its clients for a certificate.
#include "ask.h"
#include "claim.h"
#include "scenes.h"
#include "story.h"

static bool was_asked;

static void see_message(int to_server, int version, int content, const void *bytes,
                        size_t length, SSL *ssl, void *argument)
{
    (void)version, (void)ssl, (void)argument, (void)length;
    if (!to_server && content == SSL3_RT_HANDSHAKE)
        was_asked = was_asked || *(const uint8_t *)bytes == SSL3_MT_CERTIFICATE_REQUEST;
}

struct tried {
    int status;  // the answer's status; 0: there was no answer
    bool was_up; // the client's handshake was done
};

static struct tried try_with(const char *what, int version, const struct certificate_files *own)
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
    struct tried tried = {.was_up = c->up};
    if (ask(c, "GET", "/", NULL, &reply))
        story_say("%-21s%d, client certificate: %s", what, reply.status,
                  ask_fact(&reply, "client certificate"));
    else if (tried.was_up)
        story_say("%-21shandshake done, then: %s", what, c->why);
    else
        story_say("%-21s%s", what, c->why);
    connection_close(c);
    tried.status = reply.status;
    return tried;
}

static const struct claim both_ways = {
    "4.15", "guide §3.3, §3.5",
    "authentication verifies the server's identity (here: the client's, too)", HOLDS, NULL};

void scene_mutual(void)
{
    struct certificate_files student = ask_files(CERTIFICATE_CLIENT);
    struct certificate_files self = ask_files(CERTIFICATE_SELF_SIGNED);
    story_say(
        "Usually only the server shows a certificate. This server asks its clients for one, "
        "too (mTLS).");
    story_say("");
    story_say("%-21s%s", "the client shows", "the answer, or the error");
    struct tried without = try_with("nothing, TLS 1.3", TLS1_3_VERSION, NULL);
    struct tried old = try_with("nothing, TLS 1.2", TLS1_2_VERSION, NULL);
    struct tried wrong = try_with("a self-signed one", TLS1_3_VERSION, &self);
    struct tried with = try_with("one of the CA", TLS1_3_VERSION, &student);
    if (!was_asked) {
        claim_report(&both_ways, SKIPPED,
                     "this server asks for no certificate: --require-client-cert");
        return;
    }
    bool held = !without.status && !old.status && !wrong.status && with.status == 200;
    bool late = without.was_up && wrong.was_up && !old.was_up;
    enum verdict verdict = UNCLEAR;
    const char *remark = "";
    if (held)
        verdict = HOLDS;
    if (held && late)
        remark = ". In 1.3 the client's handshake is done before the refusal comes";
    claim_report(
        &both_ways, verdict,
        "the answer's status (0: no answer) without a certificate: %d, and %d with 1.2; "
        "with a self-signed one: %d; with one of the CA: %d%s",
        without.status, old.status, wrong.status, with.status, remark);
}
