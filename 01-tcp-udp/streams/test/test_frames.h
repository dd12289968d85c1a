// test_frames.h: what is read and written: headers, frames, sets of numbers; and 100,000
// changed datagrams.
#ifndef TEST_FRAMES_H
#define TEST_FRAMES_H

#include "describe.h"
#include "packet_rules.h"
#include "ranges.h"

#define MUTATIONS 100000

static const struct {
    const char *bytes;
    size_t length;
    ssize_t used; // -1: malformed
    const char *what;
} frame_cases[] = {
    {"\x01", 1, 1, "PING"},
    {"\x00\x00\x00\x01", 4, 3, "PADDING"},
    {"\x7f", 1, -1, "a type that there is not"},
    {"\x1e", 1, -1, "HANDSHAKE_DONE is QUIC's, not ours"},
    {"", 0, -1, "nothing"},
    {"\x02\x05\x00\x00\x05", 5, 5, "ACK 0-5"},
    {"\x02\x05\x00\x00\x06", 5, -1, "ACK below 0"},
    {"\x02\x05\x00\x01\x00\x00\x00", 7, 7, "ACK 5, 3"},
    {"\x02\x01\x00\x01\x00\x00\x00", 7, -1, "ACK 1, and one below 0"},
    {"\x02\x05\x00\x01\x00\x00", 6, -1, "ACK without its second range"},
    {"\x0e\x04\x00\x03"
     "abc",
     7, 7, "STREAM 4"},
    {"\x0e\x04\x00\x03"
     "ab",
     6, -1, "STREAM without its last byte"},
    {"\x0f\x04\x40\x05\x00", 5, 5, "STREAM 4 ends at 5"},
    {"\x0e\x04\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 12, -1, "STREAM beyond 2^62"},
    {"\x04\x04\x41\x94\x00", 5, 5, "RESET_STREAM 4, 404"},
    {"\x10\x80\x01\x00\x00", 5, 5, "MAX_DATA 65536"},
    {"\x11\x04\x80\x01", 4, -1, "MAX_STREAM_DATA that is cut"},
    {"\x1a"
     "12345678",
     9, 9, "PATH_CHALLENGE"},
    {"\x1b"
     "1234567",
     8, -1, "PATH_RESPONSE that is cut"},
    {"\x1d\x00\x03"
     "bye",
     6, 6, "CLOSE"},
};

TEST(frames_are_read)
{
    for (size_t i = 0; i < sizeof frame_cases / sizeof *frame_cases; i++) {
        struct frame frame;
        uint8_t *copy =
            copy_exactly((const uint8_t *)frame_cases[i].bytes, frame_cases[i].length);
        ssize_t used = frame_read(copy, frame_cases[i].length, &frame);
        if (used != frame_cases[i].used)
            FAIL("%s: expected %zd, got %zd", frame_cases[i].what, frame_cases[i].used, used);
        const char *fault = NULL;
        if (used > 0)
            fault = frame_fault(&frame, (size_t)used);
        if (fault)
            FAIL("%s: %s", frame_cases[i].what, fault);
        free(copy);
    }
}

// What ./client --packets prints of a packet.
TEST(a_packet_in_words)
{
    static const char packet[] = "\x40TO US...\x07"             // SHORT, number 7
                                 "\x02\x08\x00\x01\x00\x02\x02" // ACK 8, and 2 to 4
                                 "\x01\x00\x00"                 // PING, PADDING
                                 "\x04\x04\x41\x94\x00"         // RESET_STREAM
                                 "\x0e\x08\x0a\x03pen\x0f\x0c\x05\x00"
                                 "\x10\x41\x00\x11\x04\x42\x00" // both windows
                                 "\x1a"
                                 "12345678\x1b"
                                 "12345678"
                                 "\x1d\x03\x03"
                                 "bye";
    char text[300];
    describe((const uint8_t *)packet, sizeof packet - 1, text, sizeof text);
    CHECK_TEXT(text, "SHORT 7  ACK 2-4 8  PING  PADDING 2  RESET_STREAM 4, 404  "
                     "STREAM 8 [10, 13)  STREAM 12 [5, 5) end  MAX_DATA 256  "
                     "MAX_STREAM_DATA 4, 512  PATH_CHALLENGE  PATH_RESPONSE  CLOSE 3");
}

// RFC 9000 appendix A.1 has these examples.
TEST(numbers_are_written_as_quic_does)
{
    static const struct {
        const char *bytes;
        size_t length;
        uint64_t value;
    } cases[] = {{"\xc2\x19\x7c\x5e\xff\x14\xe8\x8c", 8, UINT64_C(151288809941952652)},
                 {"\x9d\x7f\x3e\x7d", 4, 494878333},
                 {"\x7b\xbd", 2, 15293},
                 {"\x25", 1, 37}};
    for (size_t i = 0; i < 4; i++) {
        uint8_t bytes[16] = {FRAME_MAX_DATA}, out[16];
        struct frame frame;
        memcpy(bytes + 1, cases[i].bytes, cases[i].length);
        CHECK_INT(frame_read(bytes, 1 + cases[i].length, &frame), (long)(1 + cases[i].length));
        CHECK(frame.value == cases[i].value);
        CHECK_INT((long)frame_write(out, sizeof out, &frame), (long)(1 + cases[i].length));
        CHECK(!memcmp(out, bytes, 1 + cases[i].length));
        CHECK_INT((long)frame_write(out, cases[i].length, &frame), 0); // no room
    }
}

static const uint8_t *text_id(const char *text)
{
    return (const uint8_t *)text;
}

static size_t sample(int which, uint8_t out[DATAGRAM_MAX])
{
    struct header h = {.type = (enum packet_type)(which % 3),
                       .to = text_id("12345678"),
                       .from = text_id("abcdefgh"),
                       .token = text_id("a token of 20 bytes."),
                       .token_length = 20,
                       .number = (uint64_t)which * 77};
    struct frame frames[] = {
        {.type = FRAME_ACK, .ack_count = 3, .acks = {{90, 95}, {50, 52}, {1, 2}}},
        {.type = FRAME_STREAM, .stream = 4, .offset = 1000, .length = 5, .data = h.to},
        {.type = FRAME_MAX_DATA, .value = 100000},
        {.type = FRAME_MAX_STREAM_DATA, .stream = 8, .value = 70000},
        {.type = FRAME_RESET_STREAM, .stream = 0, .code = 404, .value = 10},
        {.type = FRAME_PATH_CHALLENGE, .data = h.to},
        {.type = FRAME_CLOSE, .code = 7, .length = 3, .data = h.to}};
    size_t length = header_write(out, &h);
    for (size_t i = 0; i < sizeof frames / sizeof *frames && h.type != PACKET_RETRY; i++)
        length += frame_write(out + length, DATAGRAM_MAX - length, &frames[i]);
    return length;
}

TEST(changed_datagrams)
{
    uint8_t bytes[DATAGRAM_MAX];
    uint64_t random = 26;
    char text[300];
    for (int i = 0; i < MUTATIONS; i++) {
        size_t length = sample(i, bytes);
        for (uint64_t changes = random_next(&random) % 4; changes > 0; changes--)
            bytes[random_next(&random) % length] = (uint8_t)random_next(&random);
        if (i % 5 == 0)
            length = random_next(&random) % (length + 1);
        const char *fault = datagram_fault(bytes, length);
        if (fault) {
            FAIL("datagram %d: %s", i, fault);
            return;
        }
        describe(bytes, length, text, sizeof text);
    }
}

TEST(changed_frames_in_a_connection)
{
    uint8_t bytes[DATAGRAM_MAX];
    uint64_t random = 27;
    struct header header;
    for (int i = 0; i < MUTATIONS / 20; i++) {
        size_t length = sample(2, bytes), head = header_read(bytes, length, &header);
        for (uint64_t changes = 1 + random_next(&random) % 6; changes > 0; changes--)
            bytes[head + random_next(&random) % (length - head)] =
                (uint8_t)random_next(&random);
        size_t from = head + random_next(&random) % (length - head);
        const char *fault = connection_fault(i & 1, bytes + from, length - from);
        if (fault) {
            FAIL("frames %d: %s", i, fault);
            return;
        }
    }
}

// A set of numbers beside an array of marks.
TEST(ranges_are_sets)
{
    bool marked[300] = {false};
    struct ranges set = {0};
    uint64_t random = 1;
    for (int i = 0; i < 3000; i++) {
        uint64_t from = random_next(&random) % 280, to = from + random_next(&random) % 20;
        struct range taken = {0};
        if (i % 3 == 0 && ranges_take(&set, 1 + random_next(&random) % 10, &taken)) {
            for (uint64_t n = taken.from; n < taken.to; n++) {
                CHECK(marked[n]);
                marked[n] = false;
            }
        } else {
            CHECK(ranges_add(&set, from, to));
            for (uint64_t n = from; n < to; n++)
                marked[n] = true;
        }
        for (uint64_t n = 0; n < 300; n++)
            if (ranges_has(&set, n) != marked[n]) {
                FAIL("step %d: %d", i, (int)n);
                return;
            }
        for (uint32_t n = 1; n < set.count; n++)
            CHECK(set.list[n].from > set.list[n - 1].to);
    }
    ranges_keep_highest(&set, 1);
    CHECK_INT(set.count, 1);
    ranges_free(&set);
}

#endif
