// test_parts.h: tests of the parts on their own: SHA-1 and base64, UTF-8, frames, the ring of
// the feed, streams of events.
#ifndef TEST_PARTS_H
#define TEST_PARTS_H

#include "eventstream.h"
#include "feed.h"
#include "handshake.h"
#include "sha1.h"
#include "test_server.h"
#include "test_frames.h"
#include "test_streams.h"
#include "test_talk.h"
#include "utf8.h"

#define MUTATIONS 100000

static struct http_text text_of(const char *text)
{
    return (struct http_text){text, strlen(text)};
}

// ---- SHA-1 and base64 ----------------------------------------------------------------------

static void expect_sha1(const char *bytes, size_t length, const char *hex)
{
    uint8_t digest[SHA1_BYTES];
    char text[2 * SHA1_BYTES + 1];
    sha1(bytes, length, digest);
    for (int i = 0; i < SHA1_BYTES; i++)
        sprintf(text + 2 * i, "%02x", digest[i]);
    CHECK_HAS(text, hex);
}

TEST(sha1_of_known_texts) // RFC 3174 §7.3, FIPS 180
{
    static char million[1000000];
    memset(million, 'a', sizeof million);
    expect_sha1("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    expect_sha1("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
    expect_sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    expect_sha1(million, sizeof million, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    expect_sha1(million, 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"); // the last that
    expect_sha1(million, 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"); // fit, and those
    expect_sha1(million, 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"); // that do not
}

TEST(base64_of_known_texts) // RFC 4648 §10
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xff\xfe", "//4="}};
    char text[20];
    for (size_t i = 0; i < COUNT(pairs); i++) {
        base64(pairs[i][0], strlen(pairs[i][0]), text);
        CHECK(!strcmp(text, pairs[i][1]));
    }
}

TEST(the_accept_key_of_the_notes) // and of RFC 6455 §1.3
{
    char accept[HANDSHAKE_ACCEPT];
    handshake_accept(text_of("dGhlIHNhbXBsZSBub25jZQ=="), accept);
    CHECK_HAS(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

// ---- UTF-8 ---------------------------------------------------------------------------------

// Encodes any number as if it were a character; returns the length.
static size_t encode(uint32_t c, char *to)
{
    size_t more = (c >= 0x80) + (c >= 0x800) + (c >= 0x10000); // bytes behind the first
    static const uint8_t first[] = {0, 0xc0, 0xe0, 0xf0};
    to[0] = (char)(first[more] | c >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        to[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

TEST(utf8_takes_characters_and_nothing_else)
{
    char bytes[40];
    for (uint32_t c = 0; c < 0x140000; c++) {
        size_t length = encode(c, bytes);
        bool good = c < 0xd800 || (c > 0xdfff && c <= 0x10ffff);
        if (utf8_is_valid(bytes, length) != good)
            FAIL("U+%04X: utf8_is_valid() is %d, expected %d", c, !good, good);
        if (length > 1 && utf8_is_valid(bytes, length - 1))
            FAIL("U+%04X without its end is taken", c);
    }
    for (size_t i = 0; i < COUNT(bad_texts); i++)
        CHECK(!utf8_is_valid(bytes, from_hex(bad_texts[i], bytes)));
}

// ---- frames --------------------------------------------------------------------------------

static const size_t lengths[] = {0, 1, 7, 8, 9, 125, 126, 127, 1000, 4095, 4096};

TEST(what_is_written_is_read)
{
    static char bytes[MESSAGE_TOP + WS_HEADER_BYTES], text[MESSAGE_TOP], seen[SEEN_BYTES + 100];
    char expected[100];
    static const uint8_t mask[4] = {0x12, 0xff, 0x00, 0x80};
    for (int masked = 0; masked < 2; masked++)
        for (size_t i = 0; i < COUNT(lengths); i++) {
            size_t header =
                websocket_put_header(bytes, WS_BINARY, true, lengths[i], masked ? mask : NULL);
            unsigned sum = 0;
            for (size_t j = 0; j < lengths[i]; j++)
                sum = sum * 31 + (uint8_t)(text[j] = (char)(j * 7));
            memcpy(bytes + header, text, lengths[i]);
            if (masked)
                websocket_mask(bytes + header, text, lengths[i], mask, 0);
            snprintf(expected, sizeof expected, "2:%zu:%x:0 left 0", lengths[i], sum);
            read_frames(bytes, header + lengths[i], header + lengths[i], masked, seen);
            CHECK(!strcmp(seen, expected));
            read_frames(bytes, header + lengths[i], EACH_BYTE, masked, seen);
            CHECK(!strcmp(seen, expected));
            // The other side must not send such frames.
            read_frames(bytes, header + lengths[i], header + lengths[i], !masked, seen);
            CHECK_HAS(seen, "closed 1002");
        }
}

TEST(headers_as_in_the_rfc) // §5.7
{
    char bytes[WS_HEADER_BYTES];
    CHECK_INT((long)websocket_put_header(bytes, WS_TEXT, true, 5, NULL), 2);
    CHECK(!memcmp(bytes, "\x81\x05", 2));
    CHECK_INT((long)websocket_put_header(bytes, WS_BINARY, true, 256, NULL), 4);
    CHECK(!memcmp(bytes, "\x82\x7e\x01\x00", 4));
    CHECK_INT((long)websocket_put_header(bytes, WS_BINARY, true, 65536, NULL), 10);
    CHECK(!memcmp(bytes, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
    CHECK_INT((long)websocket_put_header(bytes, WS_TEXT, false, 65535, NULL), 4);
    CHECK(!memcmp(bytes, "\x01\x7e\xff\xff", 4));
}

// Two messages, one of them in three frames with a ping and a pong between, and a close.
static const char script[] =
    "81 83 11223344 70 40 50 01 82 m c3a9 89 82 m 7071 00 81 m e2 8a 80 m "
    "80 82 m 82ac 88 85 m 03e8 627965";

TEST(frames_cut_at_every_byte_are_the_same)
{
    char bytes[200], seen[SEEN_BYTES + 100];
    size_t length = from_hex(script, bytes);
    read_frames(bytes, length, length, true, seen);
    CHECK_HAS(seen, "1:3:");
    CHECK_HAS(seen, "9:2:");
    CHECK_HAS(seen, "10:0:");
    CHECK_HAS(seen, "1:5:");
    CHECK_HAS(seen, "8:3:");
    CHECK_HAS(seen, ":1000 left 0");
    for (size_t cut = 0; cut <= length; cut++)
        CHECK(!frames_fault(bytes, length, cut));
    CHECK(!frames_fault(bytes, length, EACH_BYTE));
}

TEST(mutated_frames_keep_the_rules)
{
    char good[200], bytes[400];
    size_t length = from_hex(script, good);
    uint64_t random = 7;
    for (int i = 0; i < MUTATIONS; i++) {
        size_t at = 0, size = length;
        memcpy(bytes, good, length);
        for (unsigned long n = next_random(&random) % 4; n > 0; n--) {
            at = next_random(&random) % size;
            if (next_random(&random) % 3 == 0) { // something is gone, or is there twice
                size_t end = at + next_random(&random) % (size - at);
                memmove(bytes + at, bytes + end, size - end);
                size -= end - at;
            } else if (next_random(&random) % 2) {
                bytes[at] = (char)next_random(&random);
            } else {
                bytes[at] ^= (char)(1 << next_random(&random) % 8);
            }
            if (!size)
                break;
        }
        const char *fault = frames_fault(bytes, size, next_random(&random) % (size + 1));
        if (fault)
            FAIL("mutation %d: %s", i, fault);
    }
}

// ---- the feed ------------------------------------------------------------------------------

static void expect_forms(const char *name, const char *data, const char *sse, const char *json)
{
    struct feed feed;
    CHECK(feed_begin(&feed, 3, 1));
    feed_publish(&feed, text_of(name), text_of(data), NULL);
    struct event *event = feed_next(&feed, 0);
    struct http_text form = event_text(event, FEED_SSE);
    if (!http_is(form, sse))
        FAIL("SSE: expected %s, got %.*s", sse, (int)form.length, form.at);
    form = event_text(event, FEED_LINE);
    if (!http_is((struct http_text){form.at, form.length - 1}, json) ||
        form.at[form.length - 1] != '\n')
        FAIL("JSON: expected %s, got %.*s", json, (int)form.length, form.at);
    form = event_text(event, FEED_FRAME);
    size_t header = 2;
    if (strlen(json) > 125)
        header = 4;
    CHECK_INT((long)form.length, (long)(strlen(json) + header));
    CHECK(!memcmp(form.at + header, json, strlen(json)));
    event_release(event);
    feed_end(&feed);
}

TEST(an_event_in_all_its_forms)
{
    expect_forms("", "hello", "id: 1\ndata: hello\n\n",
                 "{\"id\":1,\"event\":\"message\",\"data\":\"hello\"}");
    expect_forms("price", "", "id: 1\nevent: price\ndata: \n\n",
                 "{\"id\":1,\"event\":\"price\",\"data\":\"\"}");
    expect_forms("", "a\nb\r\nc\rd\n", "id: 1\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n",
                 "{\"id\":1,\"event\":\"message\",\"data\":\"a\\nb\\nc\\nd\\n\"}");
    expect_forms("", "\"\\\t\x01\x1f\x7f\xc3\xa9",
                 "id: 1\ndata: \"\\\t\x01\x1f\x7f\xc3\xa9\n\n",
                 "{\"id\":1,\"event\":\"message\",\"data\":"
                 "\"\\\"\\\\\\u0009\\u0001\\u001f\x7f\xc3\xa9\"}");
    expect_forms("", "event: x\n\ndata: y", "id: 1\ndata: event: x\ndata: \ndata: data: y\n\n",
                 "{\"id\":1,\"event\":\"message\",\"data\":\"event: x\\n\\ndata: y\"}");
}

static uint64_t next_id(const struct feed *feed, uint64_t seen, bool *reset)
{
    struct event *event = feed_next(feed, seen);
    if (!event)
        return 0;
    uint64_t id = event->id;
    struct http_text sse = event_text(event, FEED_SSE);
    *reset = memmem(sse.at, sse.length, "event: reset", 12);
    event_release(event);
    return id;
}

TEST(a_ring_that_moves_on)
{
    struct feed feed;
    bool reset;
    CHECK(feed_begin(&feed, 10, 1));
    CHECK(!feed_next(&feed, 0));
    CHECK(feed_has_moved_on(&feed, 5)); // it never had an event 5
    for (int i = 1; i <= 25; i++)
        CHECK_INT((long)feed_publish(&feed, text_of(""), text_of("x"), NULL), i);
    CHECK_INT((long)feed.oldest, 16);
    CHECK_INT((long)next_id(&feed, 15, &reset), 16);
    CHECK(!reset);
    CHECK_INT((long)next_id(&feed, 24, &reset), 25);
    CHECK(!reset);
    CHECK(!feed_next(&feed, 25));
    for (uint64_t seen = 0; seen < 15; seen++) {
        CHECK_INT(next_id(&feed, seen, &reset), 15);
        CHECK(reset);
    }
    CHECK_INT(next_id(&feed, 26, &reset), 15);
    CHECK(reset);
    CHECK_INT(next_id(&feed, UINT64_MAX, &reset), 15);
    CHECK(reset);
    // An event that is in use stays, also when it has left the ring.
    struct event *held = feed_next(&feed, 15);
    for (int i = 0; i < 20; i++)
        feed_publish(&feed, text_of(""), text_of("y"), NULL);
    CHECK(http_is(event_text(held, FEED_SSE), "id: 16\ndata: x\n\n"));
    event_release(held);
    feed_end(&feed);
}

TEST(a_ring_of_large_events_is_bounded)
{
    static char large[60001];
    struct feed feed;
    memset(large, '\n', sizeof large - 1);
    CHECK(feed_begin(&feed, 1000, 1));
    for (int i = 0; i < 500; i++)
        feed_publish(&feed, text_of(""), text_of(large), NULL);
    CHECK_AT_MOST(feed.bytes, FEED_BYTES);
    CHECK_AT_LEAST(feed.oldest, 301);
    feed_end(&feed);
}

// ---- streams of events ---------------------------------------------------------------------

TEST(streams_cut_at_every_byte)
{
    static char seen[STREAM_SEEN];
    char last_id[EVENT_NAME];
    for (size_t i = 0; i < COUNT(streams); i++)
        for (size_t at = 0; at <= streams[i].length + 1; at++) {
            size_t cut = at;
            if (at > streams[i].length) // at last behind each byte
                cut = EACH_BYTE;
            read_stream(streams[i].bytes, streams[i].length, cut, seen, last_id);
            if (strcmp(seen, streams[i].events) || strcmp(last_id, streams[i].last_id))
                FAIL("stream %zu cut at %zu: expected %s, got %s, last id %s", i, cut,
                     streams[i].events, seen, last_id);
        }
}

TEST(streams_that_are_too_long)
{
    static char line[EVENT_MAX + 10];
    struct event_stream stream = {0};
    struct stream_event got;
    memset(line, 'a', sizeof line);
    CHECK_INT(event_stream_read(&stream, line, sizeof line, &got), -1);
    event_stream_cut(&stream);
    CHECK_INT(event_stream_read(&stream, "retry: 2500\n", 12, &got), 12);
    CHECK_INT((long)stream.retry_ms, 2500);
    memcpy(line, "id: ", 4);
    CHECK_INT(event_stream_read(&stream, line, 200, &got), 200);
    CHECK_INT(event_stream_read(&stream, "\n", 1, &got), -1);
    event_stream_cut(&stream);
}

#endif
