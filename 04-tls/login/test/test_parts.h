// test_parts.h: tests of base64url, JSON, cookies, the jar and attempts; and random changes of
// good bytes.
#ifndef TEST_PARTS_H
#define TEST_PARTS_H

#include "attempts.h"
#include "jar.h"
#include "test_server.h"
#include "token_rules.h"

#define MUTATIONS 100000

static struct http_text text_of(const char *string)
{
    return (struct http_text){string, strlen(string)};
}

TEST(base64url_of_the_rfc)
{
    static const struct {
        const char *bytes, *text;
    } cases[] = {{"", ""},
                 {"f", "Zg"},
                 {"fo", "Zm8"},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg"},
                 {"fooba", "Zm9vYmE"},
                 {"foobar", "Zm9vYmFy"},
                 {"\xff\xef\xbe", "_---"}};
    static const char *const bad[] = {"Zg==", "Zh",   "Z",    "Zm9vY",
                                      "Zm 9", "Zm+v", "Zm/v", "Zm9\n"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[20];
        uint8_t bytes[20] = {0};
        size_t length;
        base64url_write(cases[i].bytes, strlen(cases[i].bytes), text);
        if (i < 7)
            CHECK_TEXT(text, cases[i].text);
        CHECK(base64url_read(text_of(text), bytes, sizeof bytes, &length));
        CHECK_INT(length, strlen(cases[i].bytes));
        CHECK(!memcmp(bytes, cases[i].bytes, length));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t bytes[20];
        size_t length;
        CHECK(!base64url_read(text_of(bad[i]), bytes, sizeof bytes, &length) ||
              FAIL("%s is taken", bad[i]));
    }
    uint8_t small[2];
    size_t length;
    CHECK(!base64url_read(text_of("Zm9v"), small, sizeof small, &length));
}

TEST(json_good_and_bad)
{
    static const char *const good[] = {"{}",
                                       "[]",
                                       " 1 ",
                                       "-0.5e+9",
                                       "\"\"",
                                       "true",
                                       "null",
                                       "{\"a\":{\"b\":[1,2,{}]}}",
                                       "\"\\ud83d\\ude00\"",
                                       "\"\xc3\xa4\"",
                                       "[[[[[1]]]]]"};
    static const char *const bad[] = {"",
                                      " ",
                                      "{",
                                      "}",
                                      "{\"a\"}",
                                      "{\"a\":1,}",
                                      "[1,]",
                                      "[1 2]",
                                      "01",
                                      "1.",
                                      ".5",
                                      "+1",
                                      "nul",
                                      "tru e",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":1,\"\\u0061\":2}",
                                      "\"\\x\"",
                                      "\"\\ud800\"",
                                      "\"\\udc00\"",
                                      "\"\n\"",
                                      "\"\xff\"",
                                      "\"\xc0\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "1 2",
                                      "{a:1}",
                                      "[[[[[[[1]]]]]]]",
                                      "'a'",
                                      "{\"a\":1}x",
                                      "NaN"};
    struct json value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(json_read(text_of(good[i]), &value) || FAIL("%s is refused", good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!json_read(text_of(bad[i]), &value) || FAIL("%s is taken", bad[i]));
}

TEST(json_members)
{
    struct json object, item;
    char text[10];
    int64_t number;
    size_t at = 0;
    const char *json = "{\"s\":\"\\u00e4\\n\",\"n\":12.9,\"m\":-3,\"e\":1e3,\"z\":\"\\u0000\","
                       "\"l\":[1,\"two\",[3]],\"long\":\"0123456789\"}";
    CHECK(json_read(text_of(json), &object));
    CHECK(json_member_string(&object, "s", text, sizeof text));
    CHECK_TEXT(text, "\xc3\xa4\n");
    CHECK(json_member_integer(&object, "n", &number));
    CHECK_INT(number, 12);
    CHECK(json_member_integer(&object, "m", &number));
    CHECK_INT(number, -3);
    CHECK(!json_member_integer(&object, "e", &number));
    CHECK(!json_member_integer(&object, "s", &number));
    CHECK(!json_member_string(&object, "z", text, sizeof text));
    CHECK(!json_member_string(&object, "long", text, sizeof text));
    CHECK(!json_member_string(&object, "n", text, sizeof text));
    CHECK(!json_member_string(&object, "none", text, sizeof text));
    CHECK(json_member(&object, "l", &item));
    struct json list = item;
    for (int i = 0; i < 3; i++)
        CHECK(json_next(&list, &at, &item));
    CHECK_INT(item.type, JSON_ARRAY);
    CHECK(!json_next(&list, &at, &item));
}

static bool read_head(const char *fields, struct http_head *head)
{
    static char text[2000];
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a.test:8204\r\n%s\r\n", fields);
    return http_read_request(text, strlen(text), head) == 1;
}

TEST(cookies_of_a_request)
{
    static const struct {
        const char *fields;
        bool good;
    } cases[] = {{"Cookie: __Host-session=AAAAAAAAAAAAAAAAAAAAAA\r\n", true},
                 {"Cookie: a=b; __Host-session=AAAAAAAAAAAAAAAAAAAAAA; c\r\n", true},
                 {"Cookie: a=b\r\nCookie: __Host-session=AAAAAAAAAAAAAAAAAAAAAA\r\n", true},
                 {"Cookie: __Host-session=AAAAAAAAAAAAAAAAAAAAAA; "
                  "__Host-session=AAAAAAAAAAAAAAAAAAAAAA\r\n",
                  false},
                 {"Cookie: __host-session=AAAAAAAAAAAAAAAAAAAAAA\r\n", false},
                 {"Cookie: session=AAAAAAAAAAAAAAAAAAAAAA\r\n", false},
                 {"Cookie: __Host-session=AAAAAAAAAAAAAAAAAAAAAB\r\n", false},
                 {"Cookie: __Host-session=AAAAAAAAAAAAAAAAAAAAA\r\n", false},
                 {"Cookie: __Host-session=\"AAAAAAAAAAAAAAAAAAAAAA\"\r\n", false},
                 {"Cookie: __Host-session\r\n", false},
                 {"", false}};
    struct http_head head;
    uint8_t id[SESSION_ID];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(read_head(cases[i].fields, &head));
        CHECK(cookie_read(&head, id) == cases[i].good || FAIL("case %zu", i));
    }
}

TEST(requests_of_other_origins)
{
    static const struct {
        const char *fields;
        bool foreign;
    } cases[] = {{"", false},
                 {"Origin: https://a.test:8204\r\n", false},
                 {"Origin: https://A.TEST:8204\r\nSec-Fetch-Site: same-origin\r\n", false},
                 {"Sec-Fetch-Site: none\r\n", false},
                 {"Origin: https://a.test\r\n", true},
                 {"Origin: http://a.test:8204\r\n", true},
                 {"Origin: https://a.test:82040\r\n", true},
                 {"Origin: null\r\n", true},
                 {"Origin: \r\n", true},
                 {"Sec-Fetch-Site: same-site\r\n", true},
                 {"Sec-Fetch-Site: cross-site\r\n", true},
                 {"Origin: https://a.test:8204\r\nOrigin: https://a.test:8204\r\n", true}};
    struct http_head head;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(read_head(cases[i].fields, &head));
        CHECK(request_is_foreign(&head) == cases[i].foreign || FAIL("case %zu", i));
    }
}

TEST(the_jar_of_a_client)
{
    static const struct {
        const char *field;
        bool secure, good;
    } cases[] = {{"__Host-a=1; Path=/; Secure", true, true},
                 {"__Host-a=1; Path=/; Secure", false, false},
                 {"__Host-a=1; Path=/", true, false},
                 {"__Host-a=1; Secure", true, false},
                 {"__Host-a=1; Secure; Path=/; Domain=a.test", true, false},
                 {"__host-a=1; Path=/", true, false},
                 {"b=2", false, true},
                 {"b=2; Domain=test", true, false},
                 {"=2", true, false}};
    struct jar jar = {0};
    char bytes[200] = "";
    struct http_out out = {bytes, sizeof bytes, 0, false};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = jar_set_cookie(&jar, text_of(cases[i].field), cases[i].secure, 1000);
        CHECK(!why == cases[i].good || FAIL("case %zu", i));
    }
    jar_write_fields(&jar, true, 1000, &out);
    CHECK_TEXT(bytes, "Cookie: __Host-a=1; b=2\r\n");
    out.length = 0;
    jar_write_fields(&jar, false, 1000, &out);
    bytes[out.length] = '\0';
    CHECK_TEXT(bytes, "Cookie: b=2\r\n");
    CHECK(!jar_set_cookie(&jar, text_of("c=3; Max-Age=10"), true, 1000));
    CHECK(!jar_set_cookie(&jar, text_of("b=; Max-Age=0"), true, 1000));
    out.length = 0;
    jar_write_fields(&jar, false, 1009, &out);
    bytes[out.length] = '\0';
    CHECK_TEXT(bytes, "Cookie: c=3\r\n");
    out.length = 0;
    jar_write_fields(&jar, false, 1010, &out);
    CHECK_INT(out.length, 0);
}

TEST(attempts_are_counted)
{
    for (int i = 0; i < ATTEMPTS_MAX; i++)
        CHECK_INT(attempt_begin("alice", "127.0.0.1", 1000), 0);
    CHECK_INT(attempt_begin("alice", "127.0.0.1", 1010), ATTEMPTS_WINDOW_S - 10);
    CHECK_INT(attempt_begin("bob", "127.0.0.1", 1010), 0);
    CHECK_INT(attempt_begin("alice", "127.0.0.2", 1010), 0);
    CHECK_INT(attempt_begin("alice", "127.0.0.1", 1000 + ATTEMPTS_WINDOW_S), 0);
    attempt_succeeded("alice", "127.0.0.1");
    for (int i = 0; i < ATTEMPTS_MAX; i++)
        CHECK_INT(attempt_begin("alice", "127.0.0.1", 2000), 0);
    CHECK(attempt_begin("alice", "127.0.0.1", 2000) > 0);
}

// Good bytes, of which some are changed at random: no rule breaks.
TEST(mutations)
{
    static const char letters[] = "{}[]\":,.\\u0 =;-_AZaz19";
    const struct jwt_rules *rules = rules_of_test();
    struct claims claims = {"alice", "user", RULES_NOW_S, RULES_NOW_S + 10};
    static char good[6][JWT_BYTES + 1];
    unsigned long state = 42;
    good[0][0] = 't';
    jwt_sign(rules, &claims, good[0] + 1);
    CHECK(!jwt_verify(rules, text_of(good[0] + 1), RULES_NOW_S, &claims));
    strcpy(good[1], "j{\"user\":\"alice\",\"exp\":[1.5,true,\"\\u00e4\"]}");
    strcpy(good[2], "o{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":"
                    "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}");
    strcpy(good[3],
           "cCookie: a=b; __Host-session=AAAAAAAAAAAAAAAAAAAAAA\r\nOrigin: https://a\r\n");
    snprintf(good[4], sizeof good[4], "sput %064d %064d alice user 1 2", 1, 2);
    strcpy(good[5], "bZm9vYmFyZm9vYmFy");
    for (int i = 0; i < MUTATIONS; i++) {
        char bytes[JWT_BYTES + 1];
        size_t length = strlen(good[i % 6]);
        memcpy(bytes, good[i % 6], length);
        for (int changes = 1 + (int)(next_random(&state) % 3); changes; changes--) {
            char to = letters[next_random(&state) % (sizeof letters - 1)];
            if (next_random(&state) % 4 == 0)
                to = (char)next_random(&state);
            bytes[1 + next_random(&state) % (length - 1)] = to;
        }
        if (next_random(&state) % 8 == 0)
            length = 1 + next_random(&state) % length;
        const char *fault = fault_of(bytes, length);
        if (fault) {
            FAIL("%s: %.*s", fault, (int)length, bytes);
            return;
        }
    }
}

#endif
