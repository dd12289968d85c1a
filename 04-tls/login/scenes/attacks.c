// attacks.c: scene attacks: forged tokens, sent to the server, and shown to a verifier that
// believes what it reads (naive.c).
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base64url.h"
#include "cast.h"
#include "claim.h"
#include "forge.h"
#include "naive.h"
#include "scenes.h"
#include "story.h"

#define HEADER "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}"

static const struct claim rejected = {
    "4.51", "guide §12.3", "the server rejects a token that somebody has changed", HOLDS, NULL};
static const struct claim cannot_modify = {
    "4.52", "guide §12.3", "nobody can modify it without invalidating the signature", NOT_HERE,
    "not where the token says how it is checked: \"none\", the public key as a secret, a key "
    "that comes along (RFC 8725 §2.1, §2.5)"};

// What the attacker has: all that is public, keys of his own, and tokens that were his.
static struct keys ours; // the server's keys: for tokens that it has signed in truth
static struct keys his;  // the attacker's
static char public_text[ANSWER_KEPT + 1]; // the answer to GET /.well-known/jwks.json
static char token[JWT_BYTES];             // the forged token
static char payload[JWT_PARTS];           // of bob, the admin
static const char *kid, *issuer;          // as they should be

static void write_payload(const char *iss, const char *aud, long from_s, long until_s)
{
    time_t now_s = time(NULL);
    snprintf(payload, sizeof payload,
             "{\"iss\":\"%s\",\"aud\":\"%s\",\"sub\":\"bob\",\"role\":\"admin\",\"nbf\":%lld,"
             "\"exp\":%lld}",
             iss, aud, (long long)now_s + from_s, (long long)now_s + until_s);
}

static void sign(const char *alg, const char *id, const struct key *key)
{
    char header[JWT_PARTS];
    snprintf(header, sizeof header, HEADER, alg, id);
    forge(header, payload, key, token);
}

static void as_it_should_be(void)
{
    sign("ES256", kid, keys_signing(&ours));
}

static void none(void)
{
    sign("none", kid, NULL);
}

static void confusion(void)
{
    struct key key = forge_secret(public_text, strlen(public_text));
    sign("HS256", kid, &key);
}

static void key_injection(void)
{
    char header[JWT_PARTS], set[1000];
    struct http_out out = {set, sizeof set - 1, 0, false};
    keys_write(&his, false, &out);
    set[out.length - 2] = '\0'; // without "]}"
    snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"jwk\":%s}", kid,
             strchr(set, '[') + 1);
    forge(header, payload, keys_signing(&his), token);
}

static void other_kid(void)
{
    sign("ES256", "../../../dev/null", keys_signing(&his));
}

static void critical(void)
{
    char header[JWT_PARTS];
    snprintf(header, sizeof header,
             "{\"alg\":\"ES256\",\"kid\":\"%s\",\"crit\":[\"b64\"],"
             "\"b64\":true}",
             kid);
    forge(header, payload, keys_signing(&ours), token);
}

static void zeros(void)
{
    none();
    sign("ES256", kid, NULL);
    size_t at = strlen(token);
    memset(token + at, 'A', 86); // R = S = 0
    token[at + 86] = '\0';
}

static void expired(void)
{
    write_payload(issuer, "workbench", -600, -1);
    as_it_should_be();
}

static void future(void)
{
    write_payload(issuer, "workbench", 300, 600);
    as_it_should_be();
}

static void other_audience(void)
{
    write_payload(issuer, "payroll", -1, 300);
    as_it_should_be();
}

static void other_issuer(void)
{
    write_payload("https://elsewhere.test", "workbench", -1, 300);
    as_it_should_be();
}

static void truncated(void)
{
    as_it_should_be();
    token[strlen(token) - 6] = '\0'; // 60 bytes are left
}

// The last character of 64 bytes has four bits that mean nothing: another text, the same bytes.
static void re_encoded(void)
{
    as_it_should_be();
    token[strlen(token) - 1]++;
}

static const struct {
    const char *name;
    void (*make)(void);
    bool naive_takes;
    const char *why; // part of what the server says; NULL: it takes the token
} cases[] = {{"as the server signs it", as_it_should_be, true, NULL},
             {"alg: none", none, true, "algorithm"},
             {"alg: HS256 with the public key", confusion, true, "algorithm"},
             {"a key that comes along (jwk)", key_injection, true, "signature is wrong"},
             {"kid: ../../../dev/null", other_kid, false, "no key of ours"},
             {"an extension (crit)", critical, true, "crit"},
             {"a signature of zeros", zeros, false, "signature is wrong"},
             {"expired", expired, true, "expired"},
             {"not valid yet", future, true, "not valid yet"},
             {"for another audience", other_audience, true, "audience"},
             {"of another issuer", other_issuer, true, "issuer"},
             {"truncated", truncated, false, "signature is wrong"},
             {"encoded in another way", re_encoded, true, "signature is malformed"}};

#define CASES (int)(sizeof cases / sizeof *cases)

// "taken", or the server's reason, out of WWW-Authenticate.
static const char *reason(const struct agent *user, int status)
{
    static char text[200];
    const char *field = agent_field(user, "www-authenticate");
    const char *description = strstr(field, "error_description=\"");
    if (status == 200)
        return "TAKEN";
    if (!description)
        return field;
    description += strlen("error_description=\"");
    snprintf(text, sizeof text, "%d: %.*s", status, (int)strcspn(description, "\""),
             description);
    return text;
}

void scene_attacks(void)
{
    char path[CAST_PATH];
    struct agent attacker = cast_user();
    int refused = 0, unsigned_taken = 0;
    bool as_expected = true;
    story_quiet(true);
    keys_path(ask_folder(), ES256, path, sizeof path);
    keys_open(&ours, ES256, path, false);
    keys_open(&his, ES256, cast_file("his.json"), false);
    kid = keys_signing(&ours)->id;
    issuer = JWT_ISSUER;
    agent_ask(&attacker, "GET", "/.well-known/jwks.json", NULL);
    snprintf(public_text, sizeof public_text, "%s", attacker.reply.content);
    story_head("a token for bob, the admin|naive|GET /admin");
    for (int i = 0; i < CASES; i++) {
        write_payload(issuer, "workbench", -1, 300);
        cases[i].make();
        bool taken = naive_verify((struct http_text){token, strlen(token)}, &ours, public_text);
        memcpy(attacker.jar.access, token, sizeof token);
        int status = agent_ask(&attacker, "GET", "/admin", NULL);
        const char *says = reason(&attacker, status);
        const char *naive = "refused";
        if (taken)
            naive = "TAKEN";
        story_row("%s|%s|%s", cases[i].name, naive, says);
        refused += status == 401 && cases[i].why && strstr(says, cases[i].why);
        as_expected = as_expected && taken == cases[i].naive_takes;
        if (i >= 1 && i <= 3) // those that nobody who has a key of ours has signed
            unsigned_taken += taken;
        if (!cases[i].why)
            as_expected = as_expected && status == 200;
    }
    agent_close(&attacker);
    keys_free(&ours);
    keys_free(&his);
    claim_report(&rejected, holds_if(as_expected && refused == CASES - 1),
                 "%d of %d, each for its own reason", refused, CASES - 1);
    enum verdict modified = HOLDS;
    if (unsigned_taken)
        modified = NOT_HERE;
    claim_report(&cannot_modify, modified,
                 "a naive verifier of 20 lines takes %d tokens that no key of the server has "
                 "signed",
                 unsigned_taken);
}
