// test_frames.h: tests of numbers, frames, settings and field sections, from tables and by
// mutations.
#ifndef TEST_FRAMES_H
#define TEST_FRAMES_H

#include "frame_rules.h"
#include "measure.h"
#include "test.h"

#define MUTATIONS 100000

// RFC 9000 A.1 has these as examples.
TEST(numbers)
{
    static const struct {
        const uint8_t *bytes;
        size_t length;
        uint64_t number;
    } table[] = {{BYTES("\xc2\x19\x7c\x5e\xff\x14\xe8\x8c"), UINT64_C(151288809941952652)},
                 {BYTES("\x9d\x7f\x3e\x7d"), 494878333},
                 {BYTES("\x7b\xbd"), 15293},
                 {BYTES("\x25"), 37}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint64_t number = 0;
        uint8_t out[NUMBER_BYTES];
        const uint8_t *bytes = table[i].bytes;
        CHECK_INT(number_read(bytes, table[i].length, &number), table[i].length);
        CHECK(number == table[i].number);
        CHECK_INT(number_read(bytes, table[i].length - 1, &number), 0);
        CHECK_INT(number_write(out, table[i].number) - out, table[i].length);
        CHECK(!memcmp(out, bytes, table[i].length));
    }
    uint64_t number;
    CHECK_INT(number_read(BYTES("\x40\x25"), &number), 2); // longer than needed is allowed
    CHECK_INT(number, 37);
    static const uint64_t edges[] = {0,     63,         64,         16383,
                                     16384, 1073741823, 1073741824, NUMBER_MAX};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        uint8_t out[NUMBER_BYTES];
        size_t size = (size_t)(number_write(out, edges[i]) - out);
        CHECK_INT(size, 1 << (i / 2));
        CHECK_INT(number_read(out, size, &number), size);
        CHECK(number == edges[i]);
    }
}

// The code of the fault that these bytes make, in one piece and cut at every place; 0: none.
static inline uint64_t code_of(const uint8_t *bytes, size_t length, bool control,
                               bool from_client)
{
    static struct events events;
    CHECK(!events_read(bytes, length, length, control, from_client, &events));
    for (size_t cut = 0; cut <= length; cut++) {
        const char *fault = frames_fault(bytes, length, cut);
        if (fault)
            FAIL("cut at %zu: %s", cut, fault);
    }
    return events.code;
}

#define SETTINGS_EMPTY "\x04\x00"
#define HEAD           "\x01\x02\x00\x00" // HEADERS without fields: for the frames' order

TEST(frames_in_their_places)
{
    static const struct {
        const uint8_t *bytes;
        size_t length;
        bool control, from_client;
        uint64_t code;
    } table[] = {
        {BYTES(SETTINGS_EMPTY "\x07\x01\x04"), true, true, 0},
        {BYTES(SETTINGS_EMPTY "\x0d\x01\x04"), true, true, 0},
        {BYTES(SETTINGS_EMPTY "\x0d\x01\x04"), true, false, H3_FRAME_UNEXPECTED},
        {BYTES(SETTINGS_EMPTY "\x21\x03xyz"), true, true, 0}, // §7.2.8: reserved, to be ignored
        {BYTES(SETTINGS_EMPTY "\x40\x21\x40\x03xyz"), true, true, 0},
        {BYTES("\x21\x00"), true, true, H3_MISSING_SETTINGS},
        {BYTES("\x07\x01\x04"), true, true, H3_MISSING_SETTINGS},
        {BYTES(SETTINGS_EMPTY SETTINGS_EMPTY), true, true, H3_FRAME_UNEXPECTED},
        {BYTES(SETTINGS_EMPTY "\x00\x01x"), true, true, H3_FRAME_UNEXPECTED},
        {BYTES(SETTINGS_EMPTY HEAD), true, true, H3_FRAME_UNEXPECTED},
        {BYTES(SETTINGS_EMPTY "\x05\x01x"), true, false, H3_FRAME_UNEXPECTED},
        {BYTES(SETTINGS_EMPTY "\x02\x00"), true, true, H3_FRAME_UNEXPECTED},
        {BYTES(SETTINGS_EMPTY "\x06\x00"), true, true, H3_FRAME_UNEXPECTED},
        {BYTES(SETTINGS_EMPTY "\x08\x00"), true, true, H3_FRAME_UNEXPECTED},
        {BYTES(SETTINGS_EMPTY "\x09\x00"), true, true, H3_FRAME_UNEXPECTED},
        {BYTES(SETTINGS_EMPTY "\x07\x44\x01"), true, true, H3_EXCESSIVE_LOAD},
        {BYTES(HEAD "\x00\x05hello"), false, true, 0},
        {BYTES(HEAD "\x00\x00\x00\x05hello" HEAD), false, true, 0},
        {BYTES(HEAD "\x00\x05hello" HEAD "\x21\x00"), false, true, 0},
        {BYTES("\x21\x01x" HEAD), false, true, 0},
        {BYTES("\x00\x05hello"), false, true, H3_FRAME_UNEXPECTED},
        {BYTES(HEAD HEAD HEAD), false, true, H3_FRAME_UNEXPECTED},
        {BYTES(HEAD HEAD "\x00\x01x"), false, true, H3_FRAME_UNEXPECTED},
        {BYTES(SETTINGS_EMPTY), false, true, H3_FRAME_UNEXPECTED},
        {BYTES(HEAD "\x07\x01\x00"), false, true, H3_FRAME_UNEXPECTED},
        {BYTES(HEAD "\x0d\x01\x00"), false, true, H3_FRAME_UNEXPECTED},
        {BYTES(HEAD "\x03\x01\x00"), false, true, H3_FRAME_UNEXPECTED},
        {BYTES(HEAD "\x05\x03\x00\x00\x00"), false, true, H3_FRAME_UNEXPECTED},
        {BYTES(HEAD "\x05\x03\x00\x00\x00"), false, false, H3_ID_ERROR},
        {BYTES(HEAD "\x09\x00"), false, true, H3_FRAME_UNEXPECTED},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint64_t code =
            code_of(table[i].bytes, table[i].length, table[i].control, table[i].from_client);
        if (code != table[i].code)
            FAIL("row %zu: 0x%llx, not 0x%llx", i, (unsigned long long)code,
                 (unsigned long long)table[i].code);
    }
}

TEST(headers_that_are_too_long_are_skipped)
{
    static uint8_t bytes[SECTION_MAX + 64];
    struct frame_reader reader = {.from_client = true};
    struct frame frame;
    size_t start = (size_t)(frame_write_head(bytes, FRAME_HEADERS, SECTION_MAX + 1) - bytes);
    size_t end = start + SECTION_MAX + 1;
    memcpy(bytes + end, "\x21\x00", 2);
    size_t used = frame_read(&reader, bytes, end + 2, &frame);
    CHECK_INT(frame.event, FRAME_TOO_LONG);
    used += frame_read(&reader, bytes + used, end + 2 - used, &frame);
    CHECK_INT(frame.event, FRAME_MORE);
    CHECK_INT(used, end + 2);
    CHECK_INT(frame_end(&reader).code, H3_REQUEST_INCOMPLETE);
}

TEST(the_end_of_a_stream)
{
    struct frame_reader reader = {.from_client = true};
    struct frame frame;
    CHECK_INT(frame_end(&reader).code, H3_REQUEST_INCOMPLETE);
    frame_read(&reader, BYTES(HEAD), &frame);
    reader.stage = STAGE_CONTENT;
    CHECK_INT(frame_end(&reader).code, 0);
    frame_read(&reader, BYTES("\x00\x05hel"), &frame);
    CHECK_INT(frame_end(&reader).code, H3_FRAME_ERROR);
    struct frame_reader half = {.stage = STAGE_CONTENT};
    frame_read(&half, BYTES("\x40"), &frame);
    CHECK_INT(frame_end(&half).code, H3_FRAME_ERROR);
    struct frame_reader control = {.control = true};
    CHECK_INT(frame_end(&control).code, H3_CLOSED_CRITICAL_STREAM);
}

TEST(settings)
{
    CHECK_INT(settings_check(BYTES("")).code, 0);
    CHECK_INT(settings_check(BYTES("\x06\x40\x64\x01\x00\x21\x07")).code, 0);
    CHECK_INT(settings_check(BYTES("\x06")).code, H3_FRAME_ERROR);
    CHECK_INT(settings_check(BYTES("\x06\x40")).code, H3_FRAME_ERROR);
    CHECK_INT(settings_check(BYTES("\x06\x01\x06\x01")).code, H3_SETTINGS_ERROR);
    for (char id = 0; id <= 5; id++) {
        uint8_t bytes[2] = {(uint8_t)id, 0};
        uint64_t expected = H3_SETTINGS_ERROR;
        if (id == 1)
            expected = 0;
        CHECK_INT(settings_check(bytes, 2).code, expected);
    }
}

// ---- QPACK ---------------------------------------------------------------------------------

static struct qpack_list test_list;

// Decodes; returns the fields as "name=value;".
static inline const char *decoded(const uint8_t *section, size_t length)
{
    static char text[4096];
    size_t at = 0;
    if (!qpack_decode(section, length, &test_list))
        return "no QPACK";
    text[0] = '\0';
    for (size_t i = 0; i < test_list.count && at < sizeof text; i++) {
        const struct http_field *field = &test_list.fields[i];
        at +=
            (size_t)snprintf(text + at, sizeof text - at, "%.*s=%.*s;", (int)field->name.length,
                             field->name.at, (int)field->value.length, field->value.at);
    }
    return text;
}

TEST(field_sections)
{
    // RFC 9204 B.1
    CHECK_TEXT(decoded(BYTES("\x00\x00\x51\x0b/index.html")), ":path=/index.html;");
    CHECK_TEXT(decoded(BYTES("\x00\x00")), "");
    CHECK_TEXT(decoded(BYTES("\x00\x00\xd1\xd7\xc1")), ":method=GET;:scheme=https;:path=/;");
    CHECK_TEXT(decoded(BYTES("\x00\x00\xff\x23")), "x-frame-options=sameorigin;");
    CHECK_TEXT(decoded(BYTES("\x00\x00\x23"
                             "abc\x03"
                             "def")),
               "abc=def;");
    CHECK_TEXT(decoded(BYTES("\x00\x00\x33"
                             "abc\x03"
                             "def")),
               "abc=def;");                                              // never to be indexed
    CHECK_TEXT(decoded(BYTES("\x00\x00\x7f\x4d\x01x")), "server=x;");    // the same
    CHECK_TEXT(decoded(BYTES("\x00\x05\xc1")), ":path=/;");              // a base: of no use
    CHECK_TEXT(decoded(BYTES("\x00\x00\x51\x82\x60\x7f")), ":path=/a;"); // Huffman
}

TEST(sections_that_are_refused)
{
    static const char *const prefix = "no QPACK";
    CHECK_TEXT(decoded(BYTES("")), prefix);
    CHECK_TEXT(decoded(BYTES("\x00")), prefix);
    CHECK_TEXT(decoded(BYTES("\x02\x00\x80")), prefix); // needs an entry of the dynamic table
    CHECK_TEXT(decoded(BYTES("\x00\x80")), prefix);     // a base below zero
    CHECK_TEXT(decoded(BYTES("\x00\x00\x80")), prefix); // a field of the dynamic table
    CHECK_TEXT(decoded(BYTES("\x00\x00\x10")), prefix); // behind the base
    CHECK_TEXT(decoded(BYTES("\x00\x00\x00\x01x")), prefix);
    CHECK_TEXT(decoded(BYTES("\x00\x00\x40\x01x")), prefix);
    CHECK_TEXT(decoded(BYTES("\x00\x00\xff\x24")), prefix); // number 99 of 99
    CHECK_TEXT(decoded(BYTES("\x00\x00\x51\x05"
                             "abc")),
               prefix);
    CHECK_TEXT(decoded(BYTES("\x00\x00\x51\x81\x00")), prefix); // Huffman, wrongly padded
    CHECK_TEXT(decoded(BYTES("\x00\x00\x51\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
               prefix);
}

TEST(every_entry_of_the_table)
{
    uint8_t out[256];
    for (int i = 0; i < QPACK_STATIC; i++) {
        struct http_field field = {{qpack_table[i].name, strlen(qpack_table[i].name)},
                                   {qpack_table[i].value, strlen(qpack_table[i].value)}};
        size_t size = qpack_encode(out, sizeof out, &field, 1);
        CHECK_AT_MOST(size, 4); // it is sent by its number
        CHECK(qpack_decode(out, size, &test_list));
        CHECK_INT(test_list.count, 1);
        CHECK(http_is(test_list.fields[0].name, qpack_table[i].name));
        CHECK(http_is(test_list.fields[0].value, qpack_table[i].value));
    }
    CHECK_INT(qpack_encode(out, 2, &(struct http_field){{"a", 1}, {"b", 1}}, 1), 0);
}

// Small bytes that become many fields: the limit counts the fields.
TEST(a_section_that_is_too_long)
{
    static uint8_t section[2 + QPACK_FIELDS_MAX + 10];
    memset(section, 0xc1, sizeof section);
    section[0] = section[1] = 0;
    CHECK(qpack_decode(section, sizeof section, &test_list));
    CHECK(test_list.too_long);
    CHECK(qpack_decode(section, 2 + 300, &test_list));
    CHECK(!test_list.too_long);
    CHECK_INT(test_list.count, 300);
}

static inline uint64_t instructed(bool encoder, const uint8_t *bytes, size_t length)
{
    uint64_t state = 0, code = 0;
    for (size_t i = 0; i < length && !code; i++)
        code = qpack_instructions(encoder, &state, bytes + i, 1).code;
    return code;
}

TEST(qpack_instructions_of_the_peer)
{
    CHECK_INT(instructed(true, BYTES("\x20\x20")), 0); // the capacity is 0
    CHECK_INT(instructed(true, BYTES("\x21")), QPACK_ENCODER_STREAM_ERROR);
    CHECK_INT(instructed(true, BYTES("\x3f\xbd\x01")), QPACK_ENCODER_STREAM_ERROR);
    CHECK_INT(instructed(true, BYTES("\x41x\x01y")), QPACK_ENCODER_STREAM_ERROR);
    CHECK_INT(instructed(true, BYTES("\xc1\x01y")), QPACK_ENCODER_STREAM_ERROR);
    CHECK_INT(instructed(false, BYTES("\x44\x48\x7f\x85\x01\x40")), 0); // cancellations
    CHECK_INT(instructed(false, BYTES("\x84")), QPACK_DECODER_STREAM_ERROR);
    CHECK_INT(instructed(false, BYTES("\x01")), QPACK_DECODER_STREAM_ERROR);
    CHECK_INT(instructed(false, BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
              QPACK_DECODER_STREAM_ERROR);
}

// ---- mutations -----------------------------------------------------------------------------

TEST(mutations)
{
    static const struct {
        const uint8_t *bytes;
        size_t length;
    } seeds[] = {
        {BYTES("\x04\x05\x06\x80\x00\x40\x00\x07\x01\x04\x0d\x01\x07")},
        {BYTES("\x01\x07\x00\x00\xd1\xd7\xc1\x50\x00\x00\x05hello\x21\x02xx\x01\x02\x00\x00")},
        {BYTES("\x00\x00\xd9\x5f\x4d\x87\xf0\x7b\x3a\xc6\x5a\x89\x3a\xf5\x54\x02\x31\x33")}};
    uint64_t random = 1;
    for (int i = 0; i < MUTATIONS; i++) {
        uint8_t bytes[64];
        int seed = i % 3;
        size_t length = seeds[seed].length;
        memcpy(bytes, seeds[seed].bytes, length);
        for (uint64_t n = random_next(&random) % 4; n > 0; n--)
            bytes[random_next(&random) % length] = (uint8_t)random_next(&random);
        const char *fault = frames_fault(bytes, length, random_next(&random) % (length + 1));
        if (!fault)
            fault = fields_fault(bytes, length);
        if (fault) {
            FAIL("mutation %d: %s", i, fault);
            return;
        }
    }
}

#endif
