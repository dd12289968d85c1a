// test_tokens.h: tests of tokens, and of the keys that sign them.
#ifndef TEST_TOKENS_H
#define TEST_TOKENS_H

#include <sys/stat.h>

#include "forge.h"
#include "test_parts.h"

// The keys and tokens of RFC 7515, appendix A.1 and A.3.
#define RFC_SECRET                                                                             \
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
#define RFC_PAYLOAD                                                                            \
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ij"  \
    "p0cnVlfQ"
#define RFC_POINT                                                                              \
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                                   \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define RFC_D ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\""
#define OCT   "{\"kty\":\"oct\",\"kid\":\"%s\",\"k\":\"%s\"}"
#define EC    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\"," RFC_POINT "%s}"
#define SET   "{\"keys\":[%s]}"

static const char *read_set(struct keys *keys, enum algorithm algorithm, const char *format,
                            ...) __attribute__((format(printf, 3, 4)));

static const char *read_set(struct keys *keys, enum algorithm algorithm, const char *format,
                            ...)
{
    char text[4000], set[4100];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(set, sizeof set, SET, text);
    return keys_read(keys, algorithm, text_of(set));
}

TEST(signatures_of_the_rfc)
{
    struct keys keys;
    uint8_t signature[SIGNATURE_BYTES], theirs[SIGNATURE_BYTES];
    size_t length;
    struct http_text text = text_of("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" RFC_PAYLOAD);
    CHECK(!read_set(&keys, HS256, OCT, "a", RFC_SECRET));
    CHECK(base64url_read(text_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), theirs,
                         sizeof theirs, &length));
    CHECK_INT(jwt_signature(keys_signing(&keys), text, signature), 32);
    CHECK(!memcmp(signature, theirs, 32));
    CHECK(jwt_signature_is(&keys.list[0], text, theirs, 32));
    CHECK(!jwt_signature_is(&keys.list[0], text, theirs, 31));
    keys_free(&keys);

    text = text_of("eyJhbGciOiJFUzI1NiJ9" RFC_PAYLOAD);
    CHECK(!read_set(&keys, ES256, EC, "a", RFC_D));
    CHECK(base64url_read(text_of("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8IS"
                                 "lSApmWQxfKTUJqPP3-Kg6NU1Q"),
                         theirs, sizeof theirs, &length));
    CHECK(jwt_signature_is(&keys.list[0], text, theirs, 64));
    CHECK_INT(jwt_signature(&keys.list[0], text, signature), 64);
    CHECK(jwt_signature_is(&keys.list[0], text, signature, 64));
    signature[40] ^= 1;
    CHECK(!jwt_signature_is(&keys.list[0], text, signature, 64));
    keys_free(&keys);
}

TEST(key_sets_good_and_bad)
{
    struct keys keys;
    CHECK(!read_set(&keys, ES256, EC, "a", ""));
    CHECK_INT(keys.count, 1);
    CHECK(!keys_signing(&keys));
    keys_free(&keys);
    CHECK(!read_set(&keys, HS256, EC, "a", "")); // of another kind: left out
    CHECK_INT(keys.count, 0);
    CHECK(!read_set(&keys, ES256, OCT, "a", RFC_SECRET));
    CHECK_INT(keys.count, 0);
    CHECK(read_set(&keys, HS256, OCT, "a", "c2hvcnQ") != NULL);
    CHECK(read_set(&keys, HS256, OCT, "", RFC_SECRET) != NULL);
    CHECK(read_set(&keys, HS256, OCT "," OCT, "a", RFC_SECRET, "a", RFC_SECRET) != NULL);
    CHECK(read_set(&keys, ES256, EC "," EC, "a", RFC_D, "a", "") != NULL);
    CHECK(read_set(&keys, ES256, EC, "a", ",\"d\":\"AA\"") != NULL);
    // A private number that belongs to another point; a point that is not on the curve.
    CHECK(read_set(&keys, ES256, EC, "a",
                   ",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"") != NULL);
    CHECK(read_set(&keys, ES256,
                   "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
                   "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                   "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}") != NULL);
    CHECK(keys_read(&keys, ES256, text_of("{}")) != NULL);
    CHECK(keys_read(&keys, ES256, text_of("[]")) != NULL);
    CHECK(!read_set(&keys, HS256, OCT "," OCT "," OCT "," OCT "," OCT, "a", RFC_SECRET, "b",
                    RFC_SECRET, "c", RFC_SECRET, "d", RFC_SECRET, "e", RFC_SECRET));
    CHECK_INT(keys.count, KEYS_MAX);
    CHECK(!keys_find(&keys, "a"));
    CHECK_TEXT(keys_signing(&keys)->id, "e");
    keys_free(&keys);
}

// Two programs that start at the same time: one key. A secret is never shown.
TEST(keys_in_a_file)
{
    char folder[] = "/tmp/keys.XXXXXX", path[60], id[KEY_ID_BYTES], text[KEYS_FILE_BYTES] = "";
    struct keys keys;
    struct http_out out = {text, sizeof text - 1, 0, false};
    struct stat about;
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/keys", folder);
    pid_t pids[4];
    for (int i = 0; i < 4; i++)
        if ((pids[i] = fork()) == 0) {
            keys_open(&keys, ES256, path, false);
            _exit(keys.count != 1);
        }
    for (int i = 0; i < 4; i++) {
        int status;
        waitpid(pids[i], &status, 0);
        CHECK_INT(exit_status(status), 0);
    }
    CHECK(!stat(path, &about));
    CHECK_INT(about.st_mode & 0777, 0600);
    keys_open(&keys, ES256, path, false);
    CHECK_INT(keys.count, 1);
    strcpy(id, keys.list[0].id);
    keys_write(&keys, false, &out);
    CHECK_HAS(text, "\"x\":");
    CHECK(!strstr(text, "\"d\":"));
    keys_free(&keys);
    keys_open(&keys, ES256, path, true);
    CHECK_INT(keys.count, 2);
    CHECK(strcmp(keys_signing(&keys)->id, id) != 0);
    CHECK(keys_find(&keys, id) != NULL);
    keys_free(&keys);
    snprintf(path, sizeof path, "%s/secrets", folder);
    keys_open(&keys, HS256, path, false);
    out.length = 0;
    memset(text, 0, sizeof text);
    keys_write(&keys, false, &out);
    CHECK_TEXT(text, "{\"keys\":[]}");
    keys_free(&keys);
    snprintf(path, sizeof path, "rm -r %s", folder);
    CHECK_INT(test_run(path), 0);
}

#define GOOD_HEADER "{\"alg\":\"HS256\",\"kid\":\"a\"}"
#define GOOD        "\"iss\":\"issuer\",\"aud\":\"audience\",\"sub\":\"alice\",\"role\":\"user\""

TEST(what_a_token_has_to_say)
{
    static const struct {
        const char *header, *payload, *why; // NULL: it is taken
    } cases[] = {
        {GOOD_HEADER, "{" GOOD ",\"exp\":1000001}", NULL},
        {GOOD_HEADER, "{" GOOD ",\"exp\":1000000}", "it has expired"},
        {GOOD_HEADER, "{" GOOD ",\"exp\":\"2000000\"}", "it never expires"},
        {GOOD_HEADER, "{" GOOD ",\"exp\":1e9}", "it never expires"},
        {GOOD_HEADER, "{" GOOD "}", "it never expires"},
        {GOOD_HEADER, "{" GOOD ",\"exp\":2000000.5,\"nbf\":1000000}", NULL},
        {GOOD_HEADER, "{" GOOD ",\"exp\":2000000,\"nbf\":1000001}", "it is not valid yet"},
        {GOOD_HEADER, "{" GOOD ",\"exp\":2000000,\"nbf\":\"0\"}", "it is not valid yet"},
        {GOOD_HEADER, "{" GOOD ",\"exp\":2000000,\"exp\":3000000}", "its payload is malformed"},
        {GOOD_HEADER,
         "{\"iss\":\"issuer\",\"aud\":[\"x\",\"audience\"],\"sub\":\"alice\","
         "\"role\":\"user\",\"exp\":2000000}",
         NULL},
        {GOOD_HEADER,
         "{\"iss\":\"issuer\",\"aud\":[\"x\"],\"sub\":\"alice\",\"role\":\"user\","
         "\"exp\":2000000}",
         "it is for another audience"},
        {GOOD_HEADER,
         "{\"iss\":\"issuer\",\"sub\":\"alice\",\"role\":\"user\",\"exp\":2000000}",
         "it is for another audience"},
        {GOOD_HEADER, "{\"iss\":\"issuer2\",\"aud\":\"audience\",\"exp\":2000000}",
         "another issuer has made it"},
        {GOOD_HEADER, "{\"iss\":\"issuer\",\"aud\":\"audience\",\"exp\":2000000}",
         "it does not say who it is about"},
        {GOOD_HEADER, "[]", "its payload is malformed"},
        {"{\"alg\":\"hs256\",\"kid\":\"a\"}", "{}", "not its key's algorithm"},
        {"{\"alg\":\"none\",\"kid\":\"a\"}", "{}", "not its key's algorithm"},
        {"{\"kid\":\"a\"}", "{}", "not its key's algorithm"},
        {"{\"alg\":\"HS256\"}", "{}", "no key of ours has its kid"},
        {"{\"alg\":\"HS256\",\"kid\":\"b\"}", "{}", "no key of ours has its kid"},
        {"{\"alg\":\"HS256\",\"kid\":1}", "{}", "no key of ours has its kid"},
        {"{\"alg\":\"none\",\"alg\":\"HS256\",\"kid\":\"a\"}", "{}", "its header is malformed"},
        {"{\"alg\":\"HS256\",\"kid\":\"a\",\"crit\":[]}", "{}", "its crit is not understood"},
        {"{\"alg\":\"HS256\",\"kid\":\"a\",\"typ\":\"at+jwt\"}", "{}", "its type is not JWT"},
        {"{\"alg\":\"HS256\",\"kid\":\"a\",\"typ\":\"jwt\"}", "{" GOOD ",\"exp\":2000000}",
         NULL}};
    const struct jwt_rules *rules = rules_of_test();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char token[JWT_BYTES];
        struct claims claims;
        forge(cases[i].header, cases[i].payload, &rules->keys->list[0], token);
        const char *why = jwt_verify(rules, text_of(token), RULES_NOW_S, &claims);
        if (!why != !cases[i].why || (why && strcmp(why, cases[i].why) != 0))
            FAIL("case %zu: %s", i, why ? why : "it is taken");
    }
}

// What a stranger has written is not read: the signature is checked before the payload.
TEST(the_signature_comes_first)
{
    static const char *const payloads[] = {"[]", "{" GOOD "}", "{" GOOD ",\"exp\":1000000}",
                                           "{" GOOD ",\"exp\":2000000}"};
    const struct jwt_rules *rules = rules_of_test();
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        char token[JWT_BYTES];
        struct claims claims;
        forge(GOOD_HEADER, payloads[i], &rules->keys->list[0], token);
        char *signature = strrchr(token, '.') + 1;
        *signature = *signature == 'A' ? 'B' : 'A';
        const char *why = jwt_verify(rules, text_of(token), RULES_NOW_S, &claims);
        CHECK_TEXT(why ? why : "it is taken", "its signature is wrong");
    }
}

TEST(tokens_that_are_none)
{
    static const char *const bad[] = {
        "", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", "e30..", "e30.e30.e30.e30.e30"};
    struct claims claims;
    char token[JWT_BYTES + 200];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(jwt_verify(rules_of_test(), text_of(bad[i]), RULES_NOW_S, &claims) != NULL);
    memset(token, 'A', sizeof token - 1);
    token[sizeof token - 1] = '\0';
    token[100] = token[200] = '.';
    CHECK(jwt_verify(rules_of_test(), text_of(token), RULES_NOW_S, &claims) != NULL);
}

#endif
