// forgeries.c: see forgeries.h.
#include "forgeries.h"

#include <stdio.h>
#include <time.h>

#include "forge.h"

#define HEADER "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}"

// What the attacker has: all that is public, keys of his own, and tokens that were his.
static struct keys ours;        // the server's keys: for tokens that it has signed in truth
static struct keys his;         // the attacker's
static char token[JWT_BYTES];   // the forged token
static char payload[JWT_PARTS]; // of bob, the admin
static const char *kid, *public_text; // the answer to GET /.well-known/jwks.json
static const char issuer[] = JWT_ISSUER;

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
             "{\"alg\":\"ES256\",\"kid\":\"%s\",\"crit\":[\"unknown\"],"
             "\"unknown\":1}",
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
    struct forgery forgery;
    void (*make)(void);
} cases[] = {{{"as the server signs it", true, NULL}, as_it_should_be},
             {{"alg: none", true, "algorithm"}, none},
             {{"alg: HS256 with the public key", true, "algorithm"}, confusion},
             {{"a key that comes along (jwk)", true, "signature is wrong"}, key_injection},
             {{"kid: ../../../dev/null", false, "no key of ours"}, other_kid},
             {{"an extension (crit)", true, "crit"}, critical},
             {{"a signature of zeros", false, "signature is wrong"}, zeros},
             {{"expired", true, "expired"}, expired},
             {{"not valid yet", true, "not valid yet"}, future},
             {{"for another audience", true, "audience"}, other_audience},
             {{"of another issuer", true, "issuer"}, other_issuer},
             {{"truncated", false, "signature is wrong"}, truncated},
             {{"encoded in another way", true, "signature is malformed"}, re_encoded}};

#define CASES (int)(sizeof cases / sizeof *cases)

void forgeries_begin(const char *ours_path, const char *his_path, const char *public_set)
{
    keys_open(&ours, ES256, ours_path, false);
    keys_open(&his, ES256, his_path, false);
    kid = keys_signing(&ours)->id;
    public_text = public_set;
}

void forgeries_end(void)
{
    keys_free(&ours);
    keys_free(&his);
}

const struct forgery *forgery_make(int i, const char **made)
{
    if (i >= CASES)
        return NULL;
    write_payload(issuer, "workbench", -1, 300);
    cases[i].make();
    *made = token;
    return &cases[i].forgery;
}

const struct keys *forgeries_keys(void)
{
    return &ours;
}
