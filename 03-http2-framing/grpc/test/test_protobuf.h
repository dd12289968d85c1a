// test_protobuf.h: protobuf.c and rpc.c: published examples, limits, and bytes that are wrong.
#ifndef TEST_PROTOBUF_H
#define TEST_PROTOBUF_H

#include "json_todo.h"
#include "protobuf_rules.h"
#include "test_server.h"

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static bool written(const struct protobuf_writer *writer, const uint8_t *bytes, size_t length)
{
    return !writer->no_room && writer->length == length && !memcmp(writer->out, bytes, length);
}

#define WRITER(name)                                                                           \
    uint8_t name##_bytes[1000];                                                                \
    struct protobuf_writer name = {name##_bytes, 0, sizeof name##_bytes, false}

// The examples of "Encoding" in the documentation of Protocol Buffers.
TEST(documented_examples)
{
    WRITER(test1);
    protobuf_put_int(&test1, 1, 150);
    CHECK(written(&test1, BYTES("\x08\x96\x01")));
    WRITER(test2);
    protobuf_put_bytes(&test2, 2, "testing", 7);
    CHECK(written(&test2, BYTES("\x12\x07testing")));
    WRITER(test3); // a message in a message
    size_t begun = protobuf_begin(&test3, 3);
    protobuf_put_int(&test3, 1, 150);
    protobuf_end(&test3, begun);
    CHECK(written(&test3, BYTES("\x1a\x03\x08\x96\x01")));
    WRITER(negative);
    protobuf_put_int(&negative, 1, -2);
    CHECK(written(&negative, BYTES("\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01")));
    WRITER(fixed);
    protobuf_put_fixed(&fixed, 5, PROTOBUF_FIXED32, 0x01020304);
    protobuf_put_fixed(&fixed, 6, PROTOBUF_FIXED64, 1);
    CHECK(written(&fixed, BYTES("\x2d\x04\x03\x02\x01\x31\x01\0\0\0\0\0\0\0")));
    WRITER(none);
    protobuf_put_int(&none, 1, 0);
    protobuf_put_bytes(&none, 2, "", 0);
    CHECK_INT((long)none.length, 0);
}

TEST(a_length_of_two_bytes)
{
    uint8_t text[300];
    memset(text, 'x', sizeof text);
    for (size_t length = 120; length < 300; length += 3) {
        WRITER(writer);
        size_t begun = protobuf_begin(&writer, 1);
        protobuf_put_bytes(&writer, 2, text, length);
        protobuf_end(&writer, begun);
        protobuf_put_int(&writer, 3, 7);
        struct protobuf_reader reader = protobuf_reader(writer.out, writer.length);
        struct protobuf_field field, inner;
        CHECK(protobuf_next(&reader, &field) && protobuf_is(&field, 1, PROTOBUF_DELIMITED));
        struct protobuf_reader in = protobuf_reader(field.bytes, field.length);
        CHECK(protobuf_next(&in, &inner) && inner.length == length);
        CHECK(protobuf_next(&reader, &field) && field.value == 7);
        CHECK(!protobuf_next(&reader, &field) && !reader.wrong);
    }
    uint8_t small[130];
    for (size_t room = 0; room < sizeof small; room++) { // there is never quite enough
        struct protobuf_writer writer = {small, 0, room, false};
        size_t begun = protobuf_begin(&writer, 1);
        protobuf_put_bytes(&writer, 2, text, 126);
        protobuf_end(&writer, begun);
        CHECK(writer.no_room);
    }
}

TEST(malformed_messages)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *wrong; // NULL: it is right
    } cases[] = {
        {"\x08\x96", 2, "a number that is cut short"},
        {"\x08", 1, "a number that is cut short"},
        {"\x80", 1, "a number that is cut short"},
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, NULL},
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, "a number of more than 64 bits"},
        {"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12,
         "a number of more than 64 bits"},
        {"\x0d\x01\x02\x03", 4, "a number that is cut short"},
        {"\x09\x01\x02\x03\x04\x05\x06\x07", 8, "a number that is cut short"},
        {"\x12\x03hi", 4, "a field that is cut short"},
        {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "a field that is cut short"},
        {"\x00\x01", 2, "a field number that cannot be"},
        {"\xf8\xff\xff\xff\xff\x01\x01", 7, "a field number that cannot be"},
        {"\xf8\xff\xff\xff\x0f\x01", 6, NULL}, // the highest number
        {"\x0e", 1, "a field of no type"},
        {"\x0f", 1, "a field of no type"},
        {"\x0c", 1, "the end of a group that did not begin"},
        {"\x0b\x0c", 2, NULL},
        {"\x0b\x10\x01\x0c", 4, NULL},
        {"\x0b\x14", 2, "a group that ends as another one"},
        {"\x0b", 1, "a number that is cut short"},
        {"", 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
        struct protobuf_reader reader = protobuf_reader(bytes, cases[i].length);
        struct protobuf_field field;
        while (protobuf_next(&reader, &field))
            ;
        const char *wrong = reader.wrong ? reader.wrong : "nothing";
        CHECK_TEXT(wrong, cases[i].wrong ? cases[i].wrong : "nothing");
    }
    uint8_t groups[2 * PROTOBUF_DEPTH_MAX + 2];
    for (int depth = PROTOBUF_DEPTH_MAX; depth <= PROTOBUF_DEPTH_MAX + 1; depth++) {
        memset(groups, 0x0b, (size_t)depth);
        memset(groups + depth, 0x0c, (size_t)depth);
        struct protobuf_reader reader = protobuf_reader(groups, 2 * (size_t)depth);
        struct protobuf_field field;
        CHECK(!protobuf_next(&reader, &field));
        CHECK((reader.wrong != NULL) == (depth > PROTOBUF_DEPTH_MAX));
    }
}

TEST(texts_that_are_utf8)
{
    CHECK(protobuf_is_utf8(BYTES("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x88")));
    CHECK(protobuf_is_utf8(BYTES("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf")));
    CHECK(!protobuf_is_utf8(BYTES("\xc0\x80")));         // longer than it has to be
    CHECK(!protobuf_is_utf8(BYTES("\xe0\x80\x80")));     // the same
    CHECK(!protobuf_is_utf8(BYTES("\xed\xa0\x80")));     // a surrogate
    CHECK(!protobuf_is_utf8(BYTES("\xf4\x90\x80\x80"))); // above the last character
    CHECK(!protobuf_is_utf8(BYTES("\xe2\x82")));         // cut short
    CHECK(!protobuf_is_utf8(BYTES("\xff")));
    CHECK(!protobuf_is_utf8(BYTES("\x80")));
}

TEST(messages_of_todo)
{
    struct todo_item item;
    CHECK(!todo_read_item(BYTES("\x08\x07\x12\x02hi"), &item));
    CHECK(item.id == 7 && item.length == 2 && !memcmp(item.text, "hi", 2));
    // Fields in another order, twice (the last one counts), and unknown ones of all types.
    CHECK(!todo_read_item(BYTES("\x12\x01x\x1a\x01y\x25....\x29........\x33\x08\x01\x34"
                                "\x12\x02hi\x08\x07\x08\x08"),
                          &item));
    CHECK(item.id == 8 && item.length == 2 && !memcmp(item.text, "hi", 2));
    CHECK(!todo_read_item(BYTES("\x0d\1\2\3\4\x10\x05"), &item)); // other types: unknown fields
    CHECK(item.id == 0 && item.length == 0);
    CHECK(todo_read_item(BYTES("\x12\x01\xff"), &item) != NULL);
    CHECK(!todo_read_item(BYTES(""), &item));
}

TEST(the_list_keeps_the_newest)
{
    const struct todo_item item = {.text = (const uint8_t *)"hi", .length = 2};
    todo_free_all();
    CHECK(!todo_from(1));
    for (int i = 1; i <= TODOS_MAX + 2 && !test_failures; i++) {
        const struct todo_item *created = todo_create(&item);
        CHECK_INT(created->id, i);
        CHECK_INT(todo_from(1)->id, i > TODOS_MAX ? i - TODOS_MAX + 1 : 1);
        CHECK(todo_from(i) == created && !todo_from(i + 1));
    }
    todo_free_all();
}

// Bytes that were changed at random: each reading ends, and stays within the bytes.
TEST(a_hundred_thousand_mutations_of_messages)
{
    static const char seed[] = "\x0a\x0e\x08\x01\x12\x0a"
                               "Do laundry\x08\x96\x01\x25....\x0b\x10"
                               "\x01\x0c\x29........";
    uint64_t random = 1;
    for (int i = 0; i < 100000; i++) {
        size_t length = 1 + next_random(&random) % (sizeof seed - 1);
        uint8_t *bytes = malloc(length); // the sanitizer sees what is read behind its end
        memcpy(bytes, seed, length);
        for (int k = 0; k < 3; k++)
            bytes[next_random(&random) % length] = (uint8_t)next_random(&random);
        const char *fault = protobuf_fault(bytes, length);
        if (fault)
            FAIL("mutation %d: %s", i, fault);
        free(bytes);
    }
}

// ---- rpc.c ---------------------------------------------------------------------------------

TEST(timeouts)
{
    static const struct {
        const char *text;
        int64_t ns; // -1: malformed
    } cases[] = {{"1S", 1000000000},
                 {"100m", 100000000},
                 {"5u", 5000},
                 {"7n", 7},
                 {"2M", INT64_C(120000000000)},
                 {"1H", INT64_C(3600000000000)},
                 {"0m", 0},
                 {"99999999H", INT64_MAX / 4},
                 {"99999999n", 99999999},
                 {"", -1},
                 {"S", -1},
                 {"1", -1},
                 {"1s", -1},
                 {"-1S", -1},
                 {"1.5S", -1},
                 {"100000000n", -1},
                 {" 1S", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ns = -1;
        bool right = rpc_read_timeout(cases[i].text, strlen(cases[i].text), &ns);
        CHECK_INT(right ? ns : -1, cases[i].ns);
    }
    char text[RPC_TIMEOUT_BYTES];
    rpc_put_timeout(text, 250);
    CHECK_TEXT(text, "250m");
    rpc_put_timeout(text, 86400000000);
    CHECK_TEXT(text, "86400000S");
}

TEST(percent_encoding)
{
    static const char special[] =
        "\t\ntest with whitespace\r\nand Unicode BMP \xe2\x98\xba and "
        "non-BMP \xf0\x9f\x98\x88\t\n";
    char encoded[300], decoded[300];
    rpc_percent_encode(encoded, sizeof encoded, special, sizeof special - 1);
    CHECK_TEXT(encoded, "%09%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and non-BMP "
                        "%F0%9F%98%88%09%0A");
    rpc_percent_decode(decoded, sizeof decoded, encoded, strlen(encoded));
    CHECK_TEXT(decoded, special);
    rpc_percent_encode(encoded, sizeof encoded, "100%", 4);
    CHECK_TEXT(encoded, "100%25");
    rpc_percent_decode(decoded, sizeof decoded, "100%", 4); // none: it stays
    CHECK_TEXT(decoded, "100%");
    rpc_percent_decode(decoded, sizeof decoded, "%4", 2);
    CHECK_TEXT(decoded, "%4");
    rpc_percent_decode(decoded, sizeof decoded, "%zz%41", 6);
    CHECK_TEXT(decoded, "%zzA");
    CHECK_INT((long)rpc_percent_encode(encoded, 6, "\n\n\n", 3), 3); // no half of one
    CHECK_INT((long)rpc_percent_decode(decoded, 3, "abcdef", 6), 2);
}

TEST(base64_both_ways)
{
    static const struct {
        const char *text, *bytes;
    } cases[] = {{"", ""},      {"Zg==", "f"},   {"Zg", "f"},          {"Zm8=", "fo"},
                 {"Zm8", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg==", "foob"}, {"Zm9vYmFy", "foobar"}};
    uint8_t out[20];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        long length = rpc_base64_decode(out, sizeof out, cases[i].text, strlen(cases[i].text));
        CHECK_INT(length, (long)strlen(cases[i].bytes));
        CHECK(length < 0 || !memcmp(out, cases[i].bytes, (size_t)length));
    }
    CHECK_INT(rpc_base64_decode(out, sizeof out, "Z", 1), -1);
    CHECK_INT(rpc_base64_decode(out, sizeof out, "Zm 9", 4), -1);
    CHECK_INT(rpc_base64_decode(out, sizeof out, "Zg===", 5), -1);
    CHECK_INT(rpc_base64_decode(out, 2, "Zm9v", 4), -1);
}

TEST(status_of_other_errors)
{
    static const int of_http[][2] = {{400, 13}, {401, 16}, {403, 7},  {404, 12}, {429, 14},
                                     {502, 14}, {503, 14}, {504, 14}, {500, 2},  {200, 2}};
    static const int of_reset[][2] = {
        {NO_ERROR, 13},         {PROTOCOL_ERROR, 13},     {REFUSED_STREAM, 14}, {CANCEL, 1},
        {ENHANCE_YOUR_CALM, 8}, {INADEQUATE_SECURITY, 7}, {INTERNAL_ERROR, 13}};
    for (size_t i = 0; i < sizeof of_http / sizeof *of_http; i++)
        CHECK_INT(rpc_status_of_http(of_http[i][0]), of_http[i][1]);
    for (size_t i = 0; i < sizeof of_reset / sizeof *of_reset; i++)
        CHECK_INT(rpc_status_of_reset((uint32_t)of_reset[i][0]), of_reset[i][1]);
    CHECK_TEXT(rpc_status_name(16), "UNAUTHENTICATED");
    CHECK_TEXT(rpc_status_name(17), "status 17");
    CHECK(rpc_is_content_type("application/grpc", 16));
    CHECK(rpc_is_content_type("application/grpc+proto", 22));
    CHECK(rpc_is_content_type("application/grpc;x=y", 20));
    CHECK(!rpc_is_content_type("application/grpcx", 17));
    CHECK(!rpc_is_content_type("application/grp", 15));
    CHECK(!rpc_is_content_type("application/json", 16));
}

// ---- JSON, for comparison ------------------------------------------------------------------

TEST(todos_as_json)
{
    static const struct {
        const char *json, *text; // NULL: it is wrong
    } cases[] = {{"{\"id\":1,\"text\":\"hi\"}", "hi"},
                 {" { \"text\" : \"a\\n\\u00e4\\ud83d\\ude08\" , \"x\" : {} }",
                  "a\n\xc3\xa4\xf0\x9f\x98\x88"},
                 {"{\"x\":[1,{\"a\":\"]\"}],\"text\":\"hi\",\"y\":null}", "hi"},
                 {"{}", ""},
                 {"{\"text\":3}", NULL},
                 {"{\"text\":\"hi\"", NULL},
                 {"{\"text\":\"\\ud83d\"}", NULL},
                 {"{\"text\":\"\xff\"}", NULL},
                 {"{\"text\":\"hi}", NULL},
                 {"[]", NULL},
                 {"", NULL}};
    static struct json_reader reader;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct todo_item item;
        char text[100];
        reader.at = cases[i].json;
        reader.end = cases[i].json + strlen(cases[i].json);
        reader.wrong = NULL;
        const char *wrong = json_read_item(&reader, &item);
        snprintf(text, sizeof text, "%.*s", (int)item.length, (const char *)item.text);
        CHECK((wrong == NULL) == (cases[i].text != NULL));
        if (cases[i].text && !wrong)
            CHECK_TEXT(text, cases[i].text);
    }
}

#endif
