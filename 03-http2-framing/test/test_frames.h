// test_frames.h: frames and their Huffman strings, written and read again.
#ifndef TEST_FRAMES_H
#define TEST_FRAMES_H

#include "frame_names.h"
#include "huffman.h"
#include "frame_script.h"
#include "test.h"
#include "test_vectors.h"

#define MUTATIONS 100000 // inputs for a decoder

static struct script script;

static size_t from_hex(const char *text, uint8_t *bytes)
{
    size_t length = 0;
    unsigned byte;
    for (; sscanf(text, "%2x", &byte) == 1; text += 2)
        bytes[length++] = (uint8_t)byte;
    return length;
}

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % limit);
}

// ---- frames --------------------------------------------------------------------------------

TEST(the_nine_bytes)
{
    struct frame frame;
    uint8_t bytes[FRAME_HEADER_BYTES], again[FRAME_HEADER_BYTES];
    CHECK_INT((long)from_hex("123456"
                             "09"
                             "25"
                             "ffffffff",
                             bytes),
              FRAME_HEADER_BYTES);
    frame_read_header(bytes, &frame);
    CHECK_INT(frame.length, 0x123456);
    CHECK_INT(frame.type, FRAME_CONTINUATION);
    CHECK_INT(frame.flags, 0x25);
    CHECK_INT(frame.stream, 0x7fffffff); // the reserved bit is ignored
    CHECK(frame_put_header(again, frame.length, frame.type, frame.flags, frame.stream) ==
          again + FRAME_HEADER_BYTES);
    bytes[5] = 0x7f;
    CHECK(!memcmp(bytes, again, sizeof bytes));
}

static void expect_description(const char *frames, const char *expected)
{
    struct frame frame;
    char text[200];
    script.length = 0;
    script_add(&script, frames);
    frame_read_header(script.bytes, &frame);
    CHECK_HAS(frame_describe(&frame, text, sizeof text), expected);
    CHECK_INT((long)strlen(text), (long)strlen(expected));
}

TEST(frames_in_words)
{
    expect_description("HEADERS.5.1.31*00", "HEADERS stream 1 END_STREAM END_HEADERS 31 bytes");
    expect_description("HEADERS.2c.1.31*00",
                       "HEADERS stream 1 END_HEADERS PADDED PRIORITY 31 bytes");
    expect_description("DATA.9.3.00", "DATA stream 3 END_STREAM PADDED 1 bytes");
    expect_description("SETTINGS.0.0.000300000064000400001000",
                       "SETTINGS MAX_CONCURRENT_STREAMS=100 INITIAL_WINDOW_SIZE=4096");
    expect_description("SETTINGS.0.0.00f000000001", "SETTINGS setting 240=1");
    expect_description("SETTINGS.1.0.", "SETTINGS ACK");
    expect_description("PING.1.0.0011223344556677", "PING ACK 8 bytes");
    expect_description("WINDOW_UPDATE.0.0.0000ffff", "WINDOW_UPDATE stream 0 +65535");
    expect_description("GOAWAY.0.0.000000030000000b6869",
                       "GOAWAY last stream 3 ENHANCE_YOUR_CALM hi");
    expect_description("RST_STREAM.0.7.00000008", "RST_STREAM stream 7 CANCEL");
    expect_description("RST_STREAM.0.7.00000063", "RST_STREAM stream 7 code 99");
    expect_description("PRIORITY.0.5.80000003c8", "PRIORITY stream 5 after 3 weight 201");
    expect_description("CONTINUATION.4.5.00", "CONTINUATION stream 5 END_HEADERS 1 bytes");
    expect_description("77.4.5.00", "type 77 stream 5 1 bytes");
    expect_description("GOAWAY.0.0.00", "GOAWAY 1 bytes");
}

TEST(writers_write_what_readers_read)
{
    static const uint8_t opaque[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const struct setting settings[] = {{SETTINGS_MAX_FRAME_SIZE, 16384},
                                              {4, 0x7fffffff}};
    uint8_t bytes[400], *end = bytes;
    char text[200];
    static const char *const expected[] = {
        "SETTINGS MAX_FRAME_SIZE=16384 INITIAL_WINDOW_SIZE=2147483647",
        "SETTINGS ACK",
        "PING 8 bytes",
        "WINDOW_UPDATE stream 9 +2147483647",
        "RST_STREAM stream 9 HTTP_1_1_REQUIRED",
        "PRIORITY stream 9 after 7 weight 16",
        "GOAWAY last stream 2147483647 NO_ERROR bye",
    };
    end = frame_put_settings(end, settings, 2);
    end = frame_put_settings_ack(end);
    end = frame_put_ping(end, 0, opaque);
    end = frame_put_window_update(end, 9, WINDOW_MAX);
    end = frame_put_rst_stream(end, 9, HTTP_1_1_REQUIRED);
    end = frame_put_priority(end, 9, 7, 15);
    end = frame_put_goaway(end, STREAM_ID_MAX, NO_ERROR, "bye");
    const uint8_t *at = bytes;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct frame frame;
        frame_read_header(at, &frame);
        CHECK_INT(frame_check(&frame).scope, FAULT_NONE);
        CHECK_HAS(frame_describe(&frame, text, sizeof text), expected[i]);
        at += FRAME_HEADER_BYTES + frame.length;
    }
    CHECK(at == end);
}

// ---- Huffman -------------------------------------------------------------------------------

TEST(huffman_codes_are_those_of_the_rfc)
{
    huffman_begin();
    for (int symbol = 0; symbol < 256; symbol++) {
        char text[8]; // eight times the same symbol take as many bytes as one takes bits
        uint8_t code[40];
        memset(text, symbol, sizeof text);
        size_t bits = huffman_size(text, sizeof text);
        CHECK(huffman_encode(code, text, sizeof text) == code + bits);
        uint64_t first = 0;
        for (size_t i = 0; i < 8; i++)
            first = first << 8 | code[i];
        CHECK_INT((long)(first >> (64 - bits)), huffman_codes[symbol]);
    }
}

TEST(huffman_there_and_back)
{
    huffman_begin();
    char text[300], back[300];
    uint8_t code[1200];
    for (int first = 0; first < 256; first++) // every symbol behind every other one
        for (int second = 0; second < 256; second++) {
            text[0] = (char)first;
            text[1] = (char)second;
            text[2] = (char)first;
            size_t size = huffman_size(text, 3);
            CHECK(huffman_encode(code, text, 3) == code + size);
            CHECK_INT(huffman_decode(code, size, back, 3), 3);
            CHECK(!memcmp(text, back, 3));
            CHECK_INT(huffman_decode(code, size, back, 2), HUFFMAN_TOO_LONG);
        }
    for (size_t length = 0; length <= sizeof text; length++) {
        for (size_t i = 0; i < length; i++)
            text[i] = (char)random_below(256);
        size_t size = huffman_size(text, length);
        CHECK(huffman_encode(code, text, length) == code + size);
        CHECK_INT(huffman_decode(code, size, back, sizeof back), (long)length);
        CHECK(!memcmp(text, back, length));
    }
}

// Each symbol, followed by every padding that there is: only ones, and fewer than eight.
TEST(huffman_padding)
{
    huffman_begin();
    for (int symbol = 0; symbol < 256; symbol++) {
        char text = (char)symbol, back[8], eight[8];
        uint8_t code[8];
        memset(eight, symbol, sizeof eight);
        size_t size = huffman_size(&text, 1), bits = huffman_size(eight, 8),
               pad = size * 8 - bits;
        for (unsigned padding = 0; padding < 1u << pad; padding++) {
            huffman_encode(code, &text, 1);
            code[size - 1] = (uint8_t)((code[size - 1] & ~((1u << pad) - 1)) | padding);
            ssize_t decoded = huffman_decode(code, size, back, sizeof back);
            bool ones = padding == (1u << pad) - 1;
            // Another padding is bad, or the code of one more symbol, if that is short enough.
            if (ones) {
                CHECK_INT(decoded, 1);
                CHECK_INT(*back, text);
            } else {
                CHECK(decoded == HUFFMAN_BAD || decoded == 2);
            }
        }
        huffman_encode(code, &text, 1);
        code[size] = 0xff; // eight ones more
        CHECK_INT(huffman_decode(code, size + 1, back, sizeof back), HUFFMAN_BAD);
    }
    CHECK_INT(huffman_decode((const uint8_t *)"\xff", 1, (char[1]){0}, 1), HUFFMAN_BAD);
    CHECK_INT(huffman_decode(NULL, 0, NULL, 0), 0);
}

#endif
