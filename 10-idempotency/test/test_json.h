// test_json.h: tests of what is read out of a request: JSON and the key.
#ifndef TEST_JSON_H
#define TEST_JSON_H

#include "json.h"
#include "key.h"
#include "test.h"

static const char *const good_json[] = {
    "{}",
    " {} ",
    "[]",
    "0",
    "-0",
    "1.5",
    "1e9",
    "1E+9",
    "-12.50e-3",
    "\"\"",
    "null",
    "true",
    "false",
    "[1,[2,{\"a\":[]}],{}]",
    "{\"a\":1,\"b\":{\"a\":1}}",
    "\"\\u00e9\\n\\\"\\/\"",
    "\"\\ud83d\\ude00\"",
    "\"\xf0\x9f\x98\x80\"",
    "\"\xed\x9f\xbf\"",
    "\"\xee\x80\x80\"",
    "\"\\u0000\"",
    "\t\r\n[ 1 , 2 ]\n",
    "\"\x7f\"",
    "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
    "{\"\":0}",
    "12345678901234567890123456789",
    "{\"a\":1,\"A\":1}",
};

static const char *const bad_json[] = {
    "",
    " ",
    "{",
    "}",
    "[",
    "]",
    "[1",
    "[1,",
    "[,1]",
    "[1,]",
    "[1 2]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{1:1}",
    "{'a':1}",
    "[1}",
    "{\"a\":1]",
    "[{]}",
    "01",
    "-",
    "+1",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x10",
    "NaN",
    "Infinity",
    "-Infinity",
    "nul",
    "nulll",
    "tru",
    "True",
    "\"",
    "\"a",
    "\"\\",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\u0041\"",
    "\"\\ud800x\"",
    "\"\t\"",
    "\"\n\"",
    "\"\x01\"",
    "\"\x80\"",
    "\"\xc0\xaf\"",
    "\"\xe0\x80\xaf\"",
    "\"\xed\xa0\x80\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xf8\x88\x80\x80\x80\"",
    "\"\xc3\"",
    "\"\xc3",
    "\"\xe2\x82\"",
    "1 1",
    "{} {}",
    "[]x",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    "/*c*/1",
    "[1]//c",
    "\xef\xbb\xbf{}",
    "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
    "\"a\\",
    "{\"a",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{,}",
    "[\"a\":1]",
    "{\"a\" 1}",
    "--1",
    "1-",
    "\"a\"b",
    ",",
    ":",
    "\\",
};

TEST(json_is_read_strictly)
{
    static struct json json;
    for (size_t i = 0; i < sizeof good_json / sizeof *good_json; i++)
        if (!json_read(&json, good_json[i], strlen(good_json[i])))
            FAIL("%s: %s at %zu", good_json[i], json.error, json.error_at);
    for (size_t i = 0; i < sizeof bad_json / sizeof *bad_json; i++) {
        size_t length = strlen(bad_json[i]);
        char *copy = malloc(length + 1); // for the sanitizers' sake: nothing behind it
        memcpy(copy, bad_json[i], length);
        if (json_read(&json, copy, length))
            FAIL("%s is read", bad_json[i]);
        CHECK(json.error);
        CHECK_AT_MOST(json.error_at, length);
        free(copy);
    }
}

// Every beginning of a document is wrong, and says so at its end.
TEST(json_that_is_cut)
{
    static const char text[] =
        "{\"a\":[1,-2.5e3,\"x\\u00e9\\ud83d\\ude00\",true],\"b\":{\"c\":null}}";
    static struct json json;
    for (size_t length = 0; length < sizeof text - 1; length++) {
        char *copy = malloc(length + 1);
        memcpy(copy, text, length);
        CHECK(!json_read(&json, copy, length));
        free(copy);
    }
    CHECK(json_read(&json, text, sizeof text - 1));
}

TEST(json_has_limits)
{
    static struct json json;
    static char text[JSON_BYTES + 10];
    size_t length = 0;
    text[length++] = '[';
    for (int i = 0; i < JSON_VALUES - 1; i++, text[length++] = ',')
        text[length++] = '1';
    text[length - 1] = ']';
    CHECK(json_read(&json, text, length));
    CHECK_INT(json.count, JSON_VALUES);
    memcpy(text + length - 1, ",1]", 3);
    CHECK(!json_read(&json, text, length + 2));
    CHECK_HAS(json.error, "too many values");
    memset(text, '[', sizeof text); // deep
    CHECK(!json_read(&json, text, JSON_BYTES));
    CHECK_HAS(json.error, "too deep");
    memset(text, 'x', sizeof text);
    text[0] = text[JSON_BYTES - 1] = '"';
    CHECK(json_read(&json, text, JSON_BYTES));
    CHECK(!json_read(&json, text, JSON_BYTES + 1));
    // As many escapes as fit: they take less room when they are decoded.
    length = 1;
    while (length + 7 <= JSON_BYTES)
        length += (size_t)sprintf(text + length, "\\u20ac");
    text[length++] = '"';
    CHECK(json_read(&json, text, length));
    CHECK_INT((long)json.values[0].text.length, (long)(length - 2) / 6 * 3);
}

TEST(json_texts)
{
    static const char text[] = "{\"plain\":\"tok\",\"escaped\":\"a\\\"\\\\\\/"
                               "\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00z\","
                               "\"deep\":{\"plain\":\"no\"},\"\\u006eamed\":\"yes\"}";
    static const char decoded[] = "a\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
    static struct json json;
    char out_bytes[200];
    struct http_out out = {out_bytes, sizeof out_bytes, 0, false};
    CHECK(json_read(&json, text, sizeof text - 1));
    CHECK(http_is(json_member(&json, "plain")->text, "tok"));
    CHECK(http_is(json_member(&json, "escaped")->text, decoded));
    CHECK(http_is(json_member(&json, "named")->text, "yes"));
    CHECK(!json_member(&json, "pla"));
    CHECK(!json_member(&json, "plainx"));
    // What is written is read as the same.
    json_put(&out, json_member(&json, "escaped")->text);
    CHECK(!out.overflow);
    CHECK(json_read(&json, out_bytes, out.length));
    CHECK(http_is(json.values[0].text, decoded));
}

TEST(json_integers)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } cases[] = {{"0", true, 0},
                 {"-0", true, 0},
                 {"42", true, 42},
                 {"-42", true, -42},
                 {"9223372036854775807", true, INT64_MAX},
                 {"-9223372036854775808", true, INT64_MIN},
                 {"9223372036854775808", false, 0},
                 {"-9223372036854775809", false, 0},
                 {"18446744073709551617", false, 0},
                 {"99999999999999999999999999999999999999", false, 0},
                 {"1.0", false, 0},
                 {"1e2", false, 0},
                 {"1E0", false, 0},
                 {"\"1\"", false, 0},
                 {"true", false, 0},
                 {"null", false, 0},
                 {"[1]", false, 0}};
    static struct json json;
    int64_t value;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(json_read(&json, cases[i].text, strlen(cases[i].text)));
        bool good = json_integer(&json.values[0], INT64_MIN, INT64_MAX, &value);
        if (good != cases[i].good || (good && value != cases[i].value))
            FAIL("%s is %lld", cases[i].text, good ? (long long)value : -1);
    }
    CHECK(json_read(&json, "7", 1));
    CHECK(json_integer(&json.values[0], 7, 7, &value));
    CHECK(!json_integer(&json.values[0], 8, 9, &value));
    CHECK(!json_integer(&json.values[0], 1, 6, &value));
}

TEST(keys)
{
    static const struct {
        const char *value;
        const char *key; // NULL: it is none
    } cases[] = {
        {"\"8e03978e-40d5-43e8-bc93-6894a57f9324\"", "8e03978e-40d5-43e8-bc93-6894a57f9324"},
        {"8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"},
        {"order-1234:attempt/1", "order-1234:attempt/1"},
        {"\"a b\"", "a b"},
        {"\"a\\\"b\\\\c\"", "a\"b\\c"},
        {"", ""},
        {"\"\"", NULL},
        {"\"", NULL},
        {"\"a", NULL},
        {"a\"", NULL},
        {"\"a\"b", NULL},
        {"\"a\";p=1", NULL},
        {"\"a\", \"b\"", NULL},
        {"\"a\\b\"", NULL},
        {"\"a\\", NULL},
        {"\"\xc3\xa9\"", NULL},
        {"\"a\tb\"", NULL},
        {"a b", NULL},
        {"a,b", NULL},
        {"a;b", NULL},
        {"\xc3\xa9", NULL}};
    char key[KEY_MAX + 1], text[KEY_MAX + 10];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_text value = {cases[i].value, strlen(cases[i].value)};
        int length = key_parse(value, key),
            expected = cases[i].key ? (int)strlen(cases[i].key) : -1;
        if (length != expected || (cases[i].key && memcmp(key, cases[i].key, (size_t)length)))
            FAIL("%s: %d", cases[i].value, length);
    }
    memset(text, 'k', sizeof text);
    CHECK_INT(key_parse((struct http_text){text, KEY_MAX}, key), KEY_MAX);
    CHECK_INT(key_parse((struct http_text){text, KEY_MAX + 1}, key), -1);
    text[0] = text[KEY_MAX + 1] = '"';
    CHECK_INT(key_parse((struct http_text){text, KEY_MAX + 2}, key), KEY_MAX);
    text[KEY_MAX + 1] = 'k';
    text[KEY_MAX + 2] = '"';
    CHECK_INT(key_parse((struct http_text){text, KEY_MAX + 3}, key), -1);
}

#endif
