// test_conversations.h: whole conversations with the server in the fake loop (fake_loop.h),
// where every byte and every moment is the test's to choose: as they should be, cut anywhere,
// and mutated.
#ifndef TEST_FAKE_LOOP_H
#define TEST_FAKE_LOOP_H

#include "fake_loop.h"
#include "test_story.h"

#define CONVERSATIONS 30000 // that are mutated

static void fake_listen(struct story *story)
{
    struct frame frame;
    while (fake_frame(&frame))
        story_take(story, &frame);
}

// Begins a connection with these frames, and hears what it has to say to them.
static void fake_tell(const char *frames)
{
    fake_begin();
    story_clear(&told);
    script_begin(&script, frames);
    fake_say(script.bytes, script.length);
    fake_listen(&told);
}

// Says more, and hears what comes.
static void fake_go_on(const char *frames)
{
    told.length = 0;
    *told.text = '\0';
    script.length = 0;
    script_add(&script, frames);
    fake_say(script.bytes, script.length);
    fake_listen(&told);
}

TEST(conversations_in_the_fake_loop)
{
    for (size_t i = 0; i < sizeof conversations / sizeof *conversations; i++) {
        fake_tell(conversations[i].says);
        if (!strstr(told.text, conversations[i].expected))
            FAIL("%s: expected \"%s\", got:\n%.2000s", conversations[i].what,
                 conversations[i].expected, told.text);
        CHECK(told.error == NO_ERROR || fake.connection.conn.closing);
        fake_end();
    }
}

// A little of everything: padding, priority, CONTINUATION, trailers, several streams, pings,
// settings, windows, an unknown frame, a malformed request and a reset.
static const char everything[] =
    "HEADERS.2c.1.020000000010{POST,te=trailers}0000 PING.0.0.0011223344556677 "
    "DATA.8.1.03616263"
    "000000 HEADERS.1.3.82 CONTINUATION.0.3. CONTINUATION.4.3.8684010161 "
    "SETTINGS.0.0.000400001000 "
    "DATA.0.1.64 HEADERS.5.5.{GET,:path=/img/7?size=9000} HEADERS.5.1.{x=y} "
    "WINDOW_UPDATE.0.5.00001000 HEADERS.5.7.{GET,X=y} 99.9.9.0102 PRIORITY.0.9.0000000010 "
    "HEADERS.5.9.{GET,:path=/slow} RST_STREAM.0.9.00000008 WINDOW_UPDATE.0.5.00010000 "
    "HEADERS.5.11.{GET,:path=/nothing} HEADERS.5.13.{GET,:path=/stream?n=4&ms=0}";

static void expect_same_when_cut(const char *what, const char *frames)
{
    fake_tell(frames);
    fake_end();
    size_t length = script.length;
    hpack_table_free(&told.decoder.table);
    told_whole = told;
    for (size_t cut = 0; cut <= length + 1; cut++) {
        story_clear(&told);
        fake_begin();
        for (size_t at = 0; cut > length && at < length; at++) // the last time: byte by byte
            fake_say(script.bytes + at, 1);
        if (cut <= length) {
            fake_say(script.bytes, cut);
            fake_say(script.bytes + cut, length - cut);
        }
        fake_listen(&told);
        fake_end();
        if (!same_outcome(&told_whole, &told)) {
            FAIL("%s, cut at %zu of %zu:\n%.1000s\nwhole:\n%.1000s", what, cut, length,
                 told.text, told_whole.text);
            return;
        }
    }
}

TEST(conversations_cut_at_every_byte)
{
    expect_same_when_cut("everything", everything);
    CHECK_HAS(told.text, "HEADERS stream 1 END_HEADERS");
    CHECK_INT(told.streams[0].bytes, 4);
    CHECK(told.streams[0].ended);
    CHECK_INT(told.streams[2].bytes, 9000);
    CHECK(told.streams[2].ended);
    CHECK(told.streams[3].reset == 1 + PROTOCOL_ERROR);
    CHECK_INT(told.streams[5].status, 404);
    CHECK_INT(told.streams[6].bytes, 92);
    for (size_t i = 0; i < sizeof conversations / sizeof *conversations; i++) {
        script_begin(&script, conversations[i].says);
        if (script.length < 600)
            expect_same_when_cut(conversations[i].what, conversations[i].says);
    }
}

TEST(a_preface_that_is_none)
{
    for (size_t wrong = 3; wrong < PREFACE_BYTES; wrong++) {
        fake_begin();
        story_clear(&told);
        script_begin(&script, "");
        script.bytes[wrong] ^= 1;
        fake_say(script.bytes, script.length);
        fake_listen(&told);
        CHECK_HAS(told.text, "GOAWAY last stream 0 PROTOCOL_ERROR");
        CHECK(fake.connection.conn.closing);
        fake_end();
    }
    static const char *const first[] = {"PING.0.0.0011223344556677", "SETTINGS.1.0.",
                                        "HEADERS.5.1.{GET}", "99.0.0."};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        fake_begin();
        story_clear(&told);
        script.length = 0;
        script_bytes(&script, PREFACE, PREFACE_BYTES);
        script_add(&script, first[i]);
        fake_say(script.bytes, script.length);
        fake_listen(&told);
        CHECK_HAS(told.text,
                  "GOAWAY last stream 0 PROTOCOL_ERROR the first frame is not SETTINGS");
        fake_end();
    }
}

// A byte above 127 is possible in a field's value, and nowhere else: also where char has no
// sign.
TEST(bytes_above_127)
{
    static const struct {
        const char *fields;
        bool fine;
    } places[] = {
        {":method=GET,:scheme=http,:authority=a,:path=/?", false},
        {":scheme=http,:authority=a,:path=/,:method=GET?", false},
        {":method=GET,:authority=a,:path=/,:scheme=http?", false},
        {":method=GET,:scheme=http,:path=/,:authority=a?", false},
        {":method=GET,:scheme=http,:path=/,host=a?", false},
        {"GET,x?=y", false},
        {"GET,te=trailers?", false},
        {"GET,content-length=0?", false},
        {"GET,x=y?", true},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (int byte = 128; byte < 256; byte++) {
            char text[100];
            sprintf(text, "HEADERS.5.1.{%s}", places[i].fields);
            *strchr(text, '?') = (char)byte;
            fake_tell(text);
            const char *expected = "RST_STREAM stream 1 PROTOCOL_ERROR";
            if (places[i].fine)
                expected = "HEADERS stream 1";
            if (!strstr(told.text, expected))
                FAIL("%s with %02x: %s", places[i].fields, byte, told.text);
            fake_end();
        }
}

// Conversations with some bytes changed, in pieces of any size. The fake loop sees to it that
// the server keeps within its output, and says nothing but frames.
TEST(mutated_conversations)
{
    static uint8_t bytes[20000];
    long closed = 0;
    size_t count = sizeof conversations / sizeof *conversations;
    for (int round = 0; round < CONVERSATIONS; round++) {
        const char *frames =
            round % 4 ? everything : conversations[random_below((uint32_t)count)].says;
        if (strstr(frames, "00x") || strlen(frames) > 600)
            continue; // the floods are long, and no different
        script_begin(&script, frames);
        size_t length = script.length < sizeof bytes ? script.length : sizeof bytes;
        memcpy(bytes, script.bytes, length);
        for (uint32_t changes = random_below(8); changes > 0; changes--) {
            size_t at = PREFACE_BYTES + random_below((uint32_t)(length - PREFACE_BYTES));
            bytes[at] = (uint8_t)(random_below(2) ? random_below(256) : bytes[at] ^ 1);
        }
        fake_begin();
        story_clear(&told);
        for (size_t at = 0; at < length && !fake.connection.conn.closing;) {
            size_t part = 1 + random_below(random_below(2) ? 2000 : 20);
            part = part < length - at ? part : length - at;
            fake_say(bytes + at, part);
            at += part;
        }
        fake_wait(random_below(70000));
        fake_listen(&told);
        closed += fake.connection.conn.closing;
        fake_end();
    }
    CHECK_BETWEEN(closed, CONVERSATIONS / 20 + 1, CONVERSATIONS - 1);
}

#endif
