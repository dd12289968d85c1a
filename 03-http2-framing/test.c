// test.c: tests of lesson 03. `make test` runs them, the scenes, and the patches in break/.
//
// First the parts on their own; then a session in the lab, where every byte and every moment is
// the test's to choose; then the server, over sockets. The tables are in test_vectors.h.
#include "contract.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "huffman.h"
#include "lab.h"
#include "request.h"
#include "script.h"
#include "test_vectors.h"

#define MUTATIONS      100000 // inputs for a decoder
#define CONVERSATIONS  30000  // that are mutated
#define TRANSCRIPT     (1 << 20)
#define ANSWER_SECONDS 20

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
            CHECK(ones ? decoded == 1 && *back == text
                       : decoded == HUFFMAN_BAD || decoded == 2);
        }
        huffman_encode(code, &text, 1);
        code[size] = 0xff; // eight ones more
        CHECK_INT(huffman_decode(code, size + 1, back, sizeof back), HUFFMAN_BAD);
    }
    CHECK_INT(huffman_decode((const uint8_t *)"\xff", 1, (char[1]){0}, 1), HUFFMAN_BAD);
    CHECK_INT(huffman_decode(NULL, 0, NULL, 0), 0);
}

// ---- HPACK ---------------------------------------------------------------------------------

static void describe_list(const struct hpack_list *list, char *text)
{
    *text = '\0';
    for (size_t i = 0; i < list->count; i++) {
        const struct hpack_field *field = &list->fields[i];
        text +=
            sprintf(text, "%c%.*s: %.*s\n", " -!"[field->indexing], (int)field -> name_length,
                    field -> name, (int)field -> value_length, field -> value);
    }
}

static size_t parse_fields(const char *text, struct hpack_field *fields)
{
    size_t count = 0;
    for (; *text; text += strcspn(text, "\n") + 1) {
        const char *colon = strstr(text + 2, ": ");
        fields[count++] = (struct hpack_field){
            .name = text + 1,
            .name_length = (uint32_t)(colon - text - 1),
            .value = colon + 2,
            .value_length = (uint32_t)strcspn(colon + 2, "\n"),
            .indexing = (uint8_t)(strchr(" -!", *text) - (const char *)" -!")};
    }
    return count;
}

static struct hpack_list list;

TEST(rfc_7541_appendix_c)
{
    struct hpack_decoder decoder = {0};
    struct hpack_encoder encoder = {0};
    for (size_t i = 0; i < sizeof hpack_examples / sizeof *hpack_examples; i++) {
        const struct hpack_example *example = &hpack_examples[i];
        uint8_t block[300], again[1000];
        char text[1000];
        struct hpack_field fields[10];
        size_t length = from_hex(example->block, block);
        if (example->section[4] == '1' || example->section[2] == '2') { // a new table
            hpack_table_free(&decoder.table);
            hpack_table_free(&encoder.table);
            hpack_decoder_begin(&decoder);
            hpack_encoder_begin(&encoder);
            decoder.table.max = encoder.table.max = example->table_max;
            encoder.no_huffman = !example->huffman;
        }
        CHECK(hpack_decode(&decoder, block, length, &list));
        describe_list(&list, text);
        CHECK_HAS(text, example->fields);
        CHECK_INT(decoder.table.size, example->table_size);
        size_t count = parse_fields(example->fields, fields);
        CHECK(length <= hpack_bound(fields, count));
        uint8_t *end = hpack_encode(&encoder, again, fields, count);
        CHECK_INT(end - again, (long)length);
        if (memcmp(block, again, length))
            FAIL("another block for %s", example->section);
        CHECK_INT(encoder.table.size, example->table_size);
    }
    hpack_table_free(&decoder.table);
    hpack_table_free(&encoder.table);
}

TEST(hpack_integers)
{
    static const struct {
        int prefix;
        uint32_t value;
        const char *bytes;
    } examples[] = {{5, 10, "0a"},
                    {5, 1337, "1f9a0a"},
                    {8, 42, "2a"},
                    {7, 126, "7e"},
                    {7, 127, "7f00"},
                    {7, 128, "7f01"},
                    {5, 30, "1e"},
                    {5, 31, "1f00"},
                    {4, 15 + 128, "0f8001"},
                    {8, 255 + 127, "ff7f"},
                    {7, 127 + 0xfffffff, "7fffffff7f"}};
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        uint8_t bytes[8], again[8];
        const uint8_t *at = bytes;
        uint32_t value;
        size_t length = from_hex(examples[i].bytes, bytes);
        CHECK(hpack_put_integer(again, 0, examples[i].prefix, examples[i].value) ==
              again + length);
        CHECK(!memcmp(bytes, again, length));
        CHECK(hpack_read_integer(&at, bytes + length, examples[i].prefix, &value));
        CHECK(at == bytes + length);
        CHECK_INT(value, examples[i].value);
        for (size_t cut = 0; cut < length; cut++) {
            at = bytes;
            CHECK(!hpack_read_integer(&at, bytes + cut, examples[i].prefix, &value));
        }
    }
}

TEST(hpack_blocks_that_are_none)
{
    for (size_t i = 0; i < sizeof bad_blocks / sizeof *bad_blocks; i++) {
        struct hpack_decoder decoder;
        uint8_t block[50];
        hpack_decoder_begin(&decoder);
        if (hpack_decode(&decoder, block, from_hex(bad_blocks[i].block, block), &list))
            FAIL("taken: %s", bad_blocks[i].what);
        hpack_table_free(&decoder.table);
    }
}

static bool decode_hex(struct hpack_decoder *decoder, const char *hex)
{
    uint8_t block[200];
    return hpack_decode(decoder, block, from_hex(hex, block), &list);
}

TEST(hpack_size_updates)
{
    struct hpack_decoder decoder;
    hpack_decoder_begin(&decoder);
    CHECK(decode_hex(&decoder, "4001610162"));
    CHECK_INT(decoder.table.size, 34);
    CHECK(decode_hex(&decoder, "203f0282")); // to 0, which empties it, and to 33
    CHECK_INT(decoder.table.size, 0);
    CHECK_INT(decoder.table.max, 33);
    CHECK(decode_hex(&decoder, "4001610162")); // larger than the table: it stays empty
    CHECK_INT(decoder.table.size, 0);
    CHECK(!decode_hex(&decoder, "be"));
    CHECK(decode_hex(&decoder, "3fe11f82")); // back to 4096
    hpack_decoder_limit(&decoder, 100);      // and now we allow only 100
    CHECK(!decode_hex(&decoder, "82"));      // which the next block has to heed
    CHECK(!decode_hex(&decoder, "3f4682"));  // 101
    CHECK(decode_hex(&decoder, "3f4582"));
    CHECK(decode_hex(&decoder, "82"));
    hpack_table_free(&decoder.table);
}

TEST(the_encoder_follows_the_peers_limit)
{
    struct hpack_encoder encoder;
    struct hpack_decoder decoder;
    struct hpack_field field = hpack_field("a", "b");
    uint8_t block[100], *end;
    hpack_encoder_begin(&encoder);
    hpack_decoder_begin(&decoder);
    end = hpack_encode(&encoder, block, &field, 1);
    CHECK(hpack_decode(&decoder, block, (size_t)(end - block), &list));
    hpack_encoder_limit(&encoder, 0); // and back, before the next block: both are told (§4.2)
    hpack_encoder_limit(&encoder, 1000000);
    CHECK_INT(encoder.table.count, 0);
    end = hpack_encode(&encoder, block, &field, 1);
    CHECK_INT(block[0], 0x20);
    CHECK_INT(block[1], 0x3f);
    CHECK(hpack_decode(&decoder, block, (size_t)(end - block), &list));
    CHECK_INT(decoder.table.max, HPACK_TABLE_MAX);
    CHECK_INT(decoder.table.count, 1);
    hpack_decoder_limit(&decoder, 40);
    hpack_encoder_limit(&encoder, 40);
    end = hpack_encode(&encoder, block, &field, 1);
    CHECK(hpack_decode(&decoder, block, (size_t)(end - block), &list));
    CHECK_INT(list.count, 1);
    hpack_table_free(&decoder.table);
    hpack_table_free(&encoder.table);
}

// Lists of random fields, through tables that fill, wrap, grow and change their size.
TEST(hpack_there_and_back)
{
    static char text[20000];
    struct hpack_encoder encoder;
    struct hpack_decoder decoder;
    static uint8_t block[100000];
    hpack_encoder_begin(&encoder);
    hpack_decoder_begin(&decoder);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + random_below(26));
    for (int round = 0; round < 20000; round++) {
        struct hpack_field fields[8];
        size_t count = random_below(8);
        for (size_t i = 0; i < count; i++) {
            uint32_t length = random_below(random_below(10) ? 60 : 1000);
            fields[i] = (struct hpack_field){.name = text + random_below(40),
                                             .name_length = 1 + random_below(3),
                                             .value = text + random_below(100),
                                             .value_length = length,
                                             .indexing = (uint8_t)random_below(3)};
        }
        if (random_below(50) == 0)
            hpack_encoder_limit(&encoder, random_below(5000));
        uint8_t *end = hpack_encode(&encoder, block, fields, count);
        CHECK((size_t)(end - block) <= hpack_bound(fields, count));
        if (!hpack_decode(&decoder, block, (size_t)(end - block), &list) ||
            list.count != count) {
            FAIL("round %d", round);
            break;
        }
        for (size_t i = 0; i < count; i++)
            CHECK(list.fields[i].name_length == fields[i].name_length &&
                  list.fields[i].value_length == fields[i].value_length &&
                  !memcmp(list.fields[i].name, fields[i].name, fields[i].name_length) &&
                  !memcmp(list.fields[i].value, fields[i].value, fields[i].value_length));
        CHECK(encoder.table.size == decoder.table.size &&
              encoder.table.count == decoder.table.count);
        if (test_failures)
            break;
    }
    CHECK(decoder.table.byte_capacity <= 2 * HPACK_TABLE_MAX);
    CHECK(decoder.table.entry_capacity <= HPACK_TABLE_MAX / HPACK_FIELD_OVERHEAD);
    hpack_table_free(&decoder.table);
    hpack_table_free(&encoder.table);
}

TEST(hpack_of_mutated_blocks)
{
    uint8_t block[300];
    size_t count = sizeof hpack_examples / sizeof *hpack_examples, taken = 0;
    for (int round = 0; round < MUTATIONS; round++) {
        struct hpack_decoder decoder;
        hpack_decoder_begin(&decoder);
        for (int i = 0; i < 3; i++) {
            size_t length =
                from_hex(hpack_examples[random_below((uint32_t)count)].block, block);
            for (uint32_t flips = random_below(4); flips > 0; flips--)
                block[random_below((uint32_t)length)] ^= (uint8_t)(1 << random_below(8));
            length -= random_below(4) ? 0 : random_below((uint32_t)length);
            uint8_t *exact = malloc(length + 1); // so that a sanitizer sees a byte too far
            memcpy(exact, block, length);
            bool good = hpack_decode(&decoder, exact, length, &list);
            free(exact);
            taken += good;
            CHECK(decoder.table.size <= HPACK_TABLE_MAX && list.size <= HPACK_LIST_MAX);
            if (!good)
                break;
        }
        hpack_table_free(&decoder.table);
    }
    CHECK(taken > 1000 && taken < 3 * MUTATIONS);
}

// ---- what a server has said ----------------------------------------------------------------

// All frames of a server but its SETTINGS, in words, and what they come to for each stream.
struct story {
    size_t length; // of the text
    struct hpack_decoder decoder;
    long data_frames, window_updates, going_away;
    struct {
        int status;
        long bytes;
        uint32_t hash, reset; // reset: the code, and one
        bool ended;
    } streams[64]; // number n at n / 2
    uint32_t error, last_stream;
    bool pong, closed;
    char text[TRANSCRIPT];
};

static struct story told, told_whole;

static void story_clear(struct story *story)
{
    hpack_table_free(&story->decoder.table);
    memset(story, 0, offsetof(struct story, text) + 1);
    hpack_decoder_begin(&story->decoder);
}

static void story_headers(struct story *story, const struct frame *frame, int *status)
{
    CHECK(frame->flags & FLAG_END_HEADERS);
    CHECK(hpack_decode(&story->decoder, frame->content, frame->content_length, &list));
    CHECK(list.count > 0 && list.fields[0].static_name == HPACK_STATUS);
    CHECK_INT(list.fields[0].value_length, 3);
    *status = 0;
    for (int i = 0; i < 3; i++)
        *status = *status * 10 + list.fields[0].value[i] - '0';
    for (size_t i = 1; i < list.count; i++)
        CHECK(!request_check_field(&list.fields[i]));
    if (story->length < TRANSCRIPT - 100)
        story->length += (size_t)sprintf(story->text + story->length, " = %d", *status);
}

static void story_take(struct story *story, struct frame *frame)
{
    uint32_t place = frame->stream / 2 % 64;
    if (frame->type == FRAME_SETTINGS)
        return;
    if (story->length < TRANSCRIPT - 500) {
        frame_describe(frame, story->text + story->length, 400);
        story->length += strlen(story->text + story->length);
    }
    if (frame->type == FRAME_HEADERS)
        story_headers(story, frame, &story->streams[place].status);
    if (frame->type == FRAME_DATA) {
        CHECK(!story->streams[place].ended || frame->stream / 2 != place);
        story->data_frames++;
        story->streams[place].bytes += frame->content_length;
        for (uint32_t i = 0; i < frame->content_length; i++)
            story->streams[place].hash = story->streams[place].hash * 31 + frame->content[i];
    }
    if (frame->type <= FRAME_HEADERS && (frame->flags & FLAG_END_STREAM))
        story->streams[place].ended = true;
    if (frame->type == FRAME_RST_STREAM)
        story->streams[place].reset = 1 + frame_read_u32(frame->payload);
    if (frame->type == FRAME_GOAWAY) {
        story->last_stream = frame_read_u32(frame->payload);
        story->error = frame_read_u32(frame->payload + 4);
        story->going_away++;
    }
    story->window_updates += frame->type == FRAME_WINDOW_UPDATE;
    story->pong |= frame->type == FRAME_PING && frame->length == 8 && frame->payload[0] == 0xee;
    if (story->length < TRANSCRIPT - 100)
        story->text[story->length++] = '\n';
    story->text[story->length] = '\0';
}

// Whether two conversations came to the same for the client. Answers that were cut off by the
// end of the connection may be cut off earlier or later.
static bool same_outcome(const struct story *a, const struct story *b)
{
    if (a->going_away || b->going_away)
        return a->going_away == b->going_away && a->error == b->error &&
               a->last_stream == b->last_stream;
    return !memcmp(a->streams, b->streams, sizeof a->streams);
}

// ---- in the lab ----------------------------------------------------------------------------

static void lab_listen(struct story *story)
{
    struct frame frame;
    while (lab_frame(&frame))
        story_take(story, &frame);
}

// Begins a session with these frames, and hears what it has to say to them.
static void lab_tell(const char *frames)
{
    lab_begin();
    story_clear(&told);
    script_begin(&script, frames);
    lab_say(script.bytes, script.length);
    lab_listen(&told);
}

// Says more, and hears what comes.
static void lab_go_on(const char *frames)
{
    told.length = 0;
    *told.text = '\0';
    script.length = 0;
    script_add(&script, frames);
    lab_say(script.bytes, script.length);
    lab_listen(&told);
}

TEST(conversations_in_the_lab)
{
    for (size_t i = 0; i < sizeof conversations / sizeof *conversations; i++) {
        lab_tell(conversations[i].says);
        if (!strstr(told.text, conversations[i].expected))
            FAIL("%s: expected \"%s\", got:\n%.2000s", conversations[i].what,
                 conversations[i].expected, told.text);
        CHECK(told.error == NO_ERROR || lab.conn.closing);
        lab_end();
    }
}

// A little of everything: padding, priority, CONTINUATION, trailers, several streams, pings,
// settings, windows, an unknown frame, a malformed request and a reset.
static const char everything[] =
    "HEADERS.2c.1.020000000010{POST,te=trailers}0000 PING.0.0.0011223344556677 "
    "DATA.8.1.03616263"
    "000000 HEADERS.1.3.82 CONTINUATION.0.3. CONTINUATION.4.3.8684 SETTINGS.0.0.000400001000 "
    "DATA.0.1.64 HEADERS.5.5.{GET,:path=/img/7?size=9000} HEADERS.5.1.{x=y} "
    "WINDOW_UPDATE.0.5.00001000 HEADERS.5.7.{GET,X=y} 99.9.9.0102 PRIORITY.0.9.0000000010 "
    "HEADERS.5.9.{GET,:path=/slow} RST_STREAM.0.9.00000008 WINDOW_UPDATE.0.5.00010000 "
    "HEADERS.5.11.{GET,:path=/nothing} HEADERS.5.13.{GET,:path=/stream?n=4&ms=0}";

static void expect_same_when_cut(const char *what, const char *frames)
{
    lab_tell(frames);
    lab_end();
    size_t length = script.length;
    hpack_table_free(&told.decoder.table);
    told_whole = told;
    for (size_t cut = 0; cut <= length + 1; cut++) {
        story_clear(&told);
        lab_begin();
        for (size_t at = 0; cut > length && at < length; at++) // the last time: byte by byte
            lab_say(script.bytes + at, 1);
        if (cut <= length) {
            lab_say(script.bytes, cut);
            lab_say(script.bytes + cut, length - cut);
        }
        lab_listen(&told);
        lab_end();
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
    CHECK(told.streams[0].bytes == 4 && told.streams[0].ended);
    CHECK(told.streams[2].bytes == 9000 && told.streams[2].ended);
    CHECK(told.streams[3].reset == 1 + PROTOCOL_ERROR);
    CHECK(told.streams[5].status == 404 && told.streams[6].bytes == 92);
    for (size_t i = 0; i < sizeof conversations / sizeof *conversations; i++) {
        script_begin(&script, conversations[i].says);
        if (script.length < 600)
            expect_same_when_cut(conversations[i].what, conversations[i].says);
    }
}

TEST(a_preface_that_is_none)
{
    for (size_t wrong = 3; wrong < PREFACE_BYTES; wrong++) {
        lab_begin();
        story_clear(&told);
        script_begin(&script, "");
        script.bytes[wrong] ^= 1;
        lab_say(script.bytes, script.length);
        lab_listen(&told);
        CHECK_HAS(told.text, "GOAWAY last stream 0 PROTOCOL_ERROR");
        CHECK(lab.conn.closing);
        lab_end();
    }
    static const char *const first[] = {"PING.0.0.0011223344556677", "SETTINGS.1.0.",
                                        "HEADERS.5.1.{GET}", "99.0.0."};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        lab_begin();
        story_clear(&told);
        script.length = 0;
        script_bytes(&script, PREFACE, PREFACE_BYTES);
        script_add(&script, first[i]);
        lab_say(script.bytes, script.length);
        lab_listen(&told);
        CHECK_HAS(told.text,
                  "GOAWAY last stream 0 PROTOCOL_ERROR the first frame is not SETTINGS");
        lab_end();
    }
}

TEST(answers_interleave)
{
    lab_tell(
        "HEADERS.5.1.{GET,:path=/img/1?size=12288} HEADERS.5.3.{GET,:path=/img/2?size=5000} "
        "HEADERS.5.5.{GET,:path=/img/3?size=4096} HEADERS.5.7.{GET}");
    CHECK_HAS(told.text, "DATA stream 1 4096 bytes\n"
                         "DATA stream 3 4096 bytes\n"
                         "DATA stream 5 END_STREAM 4096 bytes\n"
                         "DATA stream 7 END_STREAM 13 bytes\n"
                         "DATA stream 1 4096 bytes\n"
                         "DATA stream 3 END_STREAM 904 bytes\n"
                         "DATA stream 1 END_STREAM 4096 bytes\n");
    lab_end();
}

// §6.9.2's example, and on: a window that SETTINGS make smaller is below zero for a while.
TEST(windows_below_zero)
{
    lab_tell("WINDOW_UPDATE.0.0.00100000 HEADERS.5.1.{GET,:path=/img/1?size=100000}");
    CHECK_INT(told.streams[0].bytes, 65535);
    lab_go_on("SETTINGS.0.0.0004000003e8"); // 1,000: 64,535 too many are sent
    CHECK_INT(told.streams[0].bytes, 65535);
    lab_go_on("WINDOW_UPDATE.0.1.0000fc17"); // 64,535: now it is zero
    CHECK_INT(told.streams[0].bytes, 65535);
    lab_go_on("WINDOW_UPDATE.0.1.00000001");
    CHECK_INT(told.streams[0].bytes, 65536);
    lab_go_on("SETTINGS.0.0.0004000003f2"); // 1,010: ten more
    CHECK_INT(told.streams[0].bytes, 65546);
    lab_go_on("HEADERS.5.3.{GET,:path=/img/1?size=100000}"); // a new stream begins with that
    CHECK_INT(told.streams[1].bytes, 1010);
    lab_go_on("SETTINGS.0.0.00047fffffff"); // all of it, as far as the connection's window goes
    CHECK(told.streams[0].ended && told.streams[1].ended);
    lab_end();
}

TEST(the_connections_window)
{
    lab_tell("SETTINGS.0.0.00047fffffff HEADERS.5.1.{GET,:path=/img/1?size=100000} "
             "HEADERS.5.3.{GET,:path=/img/2?size=100000}");
    CHECK_INT(told.streams[0].bytes + told.streams[1].bytes, 65535);
    CHECK(labs(told.streams[0].bytes - told.streams[1].bytes) <= 4096);
    lab_go_on("HEADERS.5.5.{:method=HEAD,:scheme=http,:path=/img/1} HEADERS.5.7.{GET}");
    CHECK(told.streams[2].ended && told.streams[2].bytes == 0); // no DATA: nothing to wait for
    CHECK(told.streams[3].status == 200 && !told.streams[3].ended);
    lab_go_on("WINDOW_UPDATE.0.0.00003000"); // three more pieces, whose turn it is
    CHECK_INT(told.streams[0].bytes + told.streams[1].bytes + told.streams[3].bytes,
              65535 + 0x3000);
    CHECK(told.streams[3].ended);
    lab_go_on("WINDOW_UPDATE.0.0.00100000");
    CHECK(told.streams[0].ended && told.streams[1].ended);
    CHECK_INT(told.streams[0].bytes, 100000);
    lab_end();
}

TEST(windows_are_given_back)
{
    lab_tell("HEADERS.4.1.{POST} 60xDATA.0.1.16384*61 DATA.1.1.16384*61");
    CHECK_INT(told.streams[0].status, 200);
    CHECK(told.window_updates >= 58); // for the stream and for the connection
    lab_end();
    struct streams streams;
    streams_begin(&streams);
    struct stream *stream = stream_open(&streams, 1);
    CHECK_INT(streams_receive(&streams, stream, 65535).scope, FAULT_NONE);
    CHECK_INT(streams_receive(&streams, stream, 1).scope, FAULT_CONNECTION);
    CHECK_INT(streams_return(&streams, NULL, 65535), 65535);
    CHECK_INT(streams_receive(&streams, stream, 1).scope, FAULT_STREAM);
    CHECK_INT(streams_return(&streams, stream, 32766), 0); // not yet worth a frame
    CHECK_INT(streams_return(&streams, stream, 1), 32767);
    CHECK_INT(streams_receive(&streams, stream, 32767).scope, FAULT_NONE);
    streams_close_all(&streams);
}

TEST(answers_that_wait_for_their_time)
{
    lab_tell("HEADERS.5.1.{GET,:path=/slow?ms=500} HEADERS.5.3.{GET,:path=/stream?n=3&ms=200} "
             "HEADERS.5.5.{GET}");
    CHECK(told.streams[2].ended && told.streams[1].status == 200);
    CHECK_INT(told.streams[0].status, 0);
    CHECK_INT(told.streams[1].bytes, 23);
    for (int ms = 100; ms <= 500; ms += 100) {
        lab_wait(100);
        lab_listen(&told);
        CHECK_INT(told.streams[1].bytes, ms < 200 ? 23 : ms < 400 ? 46 : 69);
        CHECK_INT(told.streams[1].ended, ms >= 400);
        CHECK_INT(told.streams[0].ended, ms >= 500);
    }
    CHECK_INT(lab.service.requests, 3);
    lab_end();
}

TEST(deadlines)
{
    lab_begin(); // no preface
    story_clear(&told);
    lab.deadline_ns = lab.now_ns; // which the server has set
    lab_wait(1);
    lab_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 0 PROTOCOL_ERROR no preface in time");
    lab_end();

    lab_tell("HEADERS.5.1.{GET}"); // 60 s after the last frame
    lab_wait(59000);
    lab_go_on("PING.0.0.0011223344556677");
    lab_wait(59000);
    CHECK(!lab.conn.closing);
    lab_wait(1001);
    lab_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 1 NO_ERROR idle");
    CHECK(lab.conn.closing);
    lab_end();

    lab_tell("SETTINGS.0.0.000400000000 HEADERS.5.1.{GET}"); // a window of zero, for 30 s
    lab_wait(29000);
    lab_go_on("PING.0.0.0011223344556677"); // which is no progress
    lab_wait(1001);
    lab_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 1 ENHANCE_YOUR_CALM requests that do not move");
    lab_end();

    lab_tell("HEADERS.4.1.{POST}"); // a body that does not come
    lab_wait(29000);
    lab_go_on("DATA.0.1.61");
    lab_wait(29000);
    CHECK(!lab.conn.closing);
    lab_wait(1001);
    lab_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 1 ENHANCE_YOUR_CALM");
    lab_end();

    lab_tell("HEADERS.5.1.{GET,:path=/slow?ms=60000}"); // it is we who let the client wait
    lab_wait(59000);
    CHECK(!lab.conn.closing);
    lab_wait(1001);
    lab_listen(&told);
    CHECK(told.streams[0].ended);
    lab_end();
}

TEST(a_stop_lets_requests_finish)
{
    lab_tell("HEADERS.5.1.{GET,:path=/slow?ms=500} HEADERS.4.3.{POST}");
    session_stop(&lab.session);
    lab_run();
    lab_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 3 NO_ERROR");
    lab_go_on("HEADERS.5.5.{GET} DATA.0.5.61 DATA.1.3.6162"); // 5 comes too late: ignored
    CHECK(told.streams[1].ended && told.streams[1].bytes == 2);
    CHECK(told.streams[2].status == 0 && !lab.conn.closing);
    lab_wait(500);
    lab_listen(&told);
    CHECK(told.streams[0].ended && lab.conn.closing);
    CHECK_INT(told.going_away, 1);
    lab_end();
    lab_tell("");
    session_stop(&lab.session);
    lab_run();
    CHECK(lab.conn.closing); // nothing to wait for
    lab_end();
}

TEST(rapid_reset)
{
    char text[200];
    lab_tell("");
    int count = 0;
    for (uint32_t id = 1; !lab.conn.closing && count < 10000; id += 2, count++) {
        sprintf(text, "HEADERS.5.%u.{GET,:path=/slow?ms=60000} RST_STREAM.0.%u.00000008", id,
                id);
        lab_go_on(text);
    }
    CHECK_HAS(told.text, "ENHANCE_YOUR_CALM");
    CHECK(count >= 100 && count < 1000);
    lab_end();
    lab_tell(""); // and the other way round: requests that make us reset (CVE-2025-8671)
    count = 0;
    for (uint32_t id = 1; !lab.conn.closing && count < 10000; id += 2, count++) {
        sprintf(text, "HEADERS.5.%u.{GET,:path=/slow?ms=60000} WINDOW_UPDATE.0.%u.00000000", id,
                id);
        lab_go_on(text);
    }
    CHECK_HAS(told.text, "ENHANCE_YOUR_CALM");
    CHECK(count >= 100 && count < 1000);
    lab_end();
    lab_tell(""); // a client that cancels now and then may go on for ever
    for (uint32_t id = 1; id < 4000; id += 2) {
        sprintf(text, "HEADERS.5.%u.{GET,:path=/slow?ms=60000} RST_STREAM.0.%u.00000008", id,
                id);
        lab_go_on(text);
        lab_wait(25);
    }
    CHECK(!lab.conn.closing);
    CHECK_INT(lab.session.streams.count, 0);
    lab_end();
}

TEST(a_hundred_streams_and_one_more)
{
    char text[200];
    lab_tell("");
    for (uint32_t id = 1; id <= 201; id += 2) {
        sprintf(text, "HEADERS.4.%u.{POST}", id);
        lab_go_on(text);
    }
    CHECK_HAS(told.text, "RST_STREAM stream 201 REFUSED_STREAM");
    CHECK_INT(lab.session.streams.count, 100);
    lab_go_on("DATA.1.201.6162 DATA.1.1.6162"); // 201: on its way, ignored
    lab_go_on("HEADERS.5.203.{GET}");
    CHECK_HAS(told.text, "HEADERS stream 203");
    CHECK(!strstr(told.text, "RST_STREAM") && !told.going_away);
    lab_end();
}

// What happened to a stream is remembered for the last 512 of them.
TEST(how_streams_have_ended)
{
    struct streams streams;
    streams_begin(&streams);
    for (uint32_t id = 1; id < 4001; id += 4) // every other one is skipped
        stream_close(&streams, stream_open(&streams, id), id % 3 ? STREAM_ENDED : STREAM_RESET);
    for (uint32_t id = 3997 - 1020; id < 3998; id += 2)
        CHECK_INT(stream_end_of(&streams, id), id % 4 != 1 ? STREAM_SKIPPED
                                               : id % 3    ? STREAM_ENDED
                                                           : STREAM_RESET);
    CHECK_INT(stream_end_of(&streams, 1), STREAM_ENDED);
    stream_refuse(&streams, 2000001);
    CHECK_INT(stream_end_of(&streams, 2000001), STREAM_RESET);
    CHECK_INT(stream_end_of(&streams, 1999999), STREAM_SKIPPED);
    CHECK_INT(streams.count, 0);
}

TEST(bodies_that_are_too_long)
{
    lab_tell("HEADERS.4.1.{POST} 65xDATA.0.1.16384*61"); // 1 MB and 16 KB
    CHECK_INT(told.streams[0].status, 413);
    CHECK_INT(lab.session.held, 0);
    lab_go_on("65xDATA.0.1.16384*61 HEADERS.5.3.{GET}"); // and one more: this is enough
    CHECK_HAS(told.text, "RST_STREAM stream 1 NO_ERROR");
    lab_go_on("DATA.1.1.61 HEADERS.5.5.{GET}"); // what was on its way disturbs nobody
    CHECK(told.streams[1].ended && told.streams[2].ended && !told.going_away);
    lab_end();
    lab_tell("HEADERS.4.1.{POST} HEADERS.4.3.{POST} 60xDATA.0.1.16384*61 60xDATA.0.3.16384*61");
    CHECK_INT(told.streams[1].status, 413); // 1 MB for all bodies of a connection at once
    lab_go_on("DATA.1.1. 15xWINDOW_UPDATE.0.0.00010000 15xWINDOW_UPDATE.0.1.00010000");
    CHECK(told.streams[0].ended);
    CHECK_INT(told.streams[0].bytes, 60 * 16384);
    CHECK_INT(lab.session.held, 0);
    lab_end();
    lab_tell("HEADERS.4.1.{GET} 65xDATA.0.1.16384*61"); // nobody wants it, and still
    CHECK_INT(told.streams[0].status, 413);
    lab_end();
}

TEST(a_smaller_table_counts_when_it_is_acknowledged)
{
    lab_begin();
    session_closed(&lab.session);
    lab.out_length = 0;
    lab.service.table_bytes = 100;
    session_begin(&lab.session, &lab.conn, &lab.service);
    story_clear(&told);
    script.length = 0;
    script_bytes(&script, PREFACE, PREFACE_BYTES);
    script_add(&script,
               "SETTINGS.0.0. HEADERS.5.1.828684 SETTINGS.1.0. HEADERS.5.3.3f45828684");
    lab_say(script.bytes, script.length);
    lab_listen(&told);
    CHECK(told.streams[0].ended && told.streams[1].ended && !told.going_away);
    lab_go_on("HEADERS.5.5.3fe11f828684");
    CHECK_HAS(told.text, "COMPRESSION_ERROR");
    lab_end();
}

TEST(pages)
{
    static const struct {
        const char *fields;
        int status;
        long bytes;
    } pages[] = {
        {"{GET}", 200, 13},
        {"{:method=HEAD,:scheme=http,:path=/}", 200, 0},
        {"{GET,:path=/?x=y}", 200, 13},
        {"{GET,:path=/img/1}", 200, 10000},
        {"{GET,:path=/img/1?size=0}", 200, 0},
        {"{GET,:path=/img/1?x&size=7&y}", 200, 7},
        {"{GET,:path=/img/1?size=}", 400, -1},
        {"{GET,:path=/img/1?size=-1}", 400, -1},
        {"{GET,:path=/img/1?size=67108865}", 400, -1},
        {"{GET,:path=/img/1?size=99999999999999999999}", 400, -1},
        {"{GET,:path=/img/}", 404, -1},
        {"{GET,:path=/img/x}", 404, -1},
        {"{GET,:path=/img/1/2}", 404, -1},
        {"{GET,:path=/slow?ms=0}", 200, -1},
        {"{GET,:path=/slow?ms=60001}", 400, -1},
        {"{GET,:path=/stream?n=3&ms=0}", 200, 69},
        {"{GET,:path=/stream?n=0}", 200, 0},
        {"{GET,:path=/stream?n=10001}", 400, -1},
        {"{GET,:path=/nothing}", 404, -1},
        {"{GET,:path=//}", 404, -1},
        {"{GET,:path=/echo}", 200, 0},
        {"{:method=POST,:scheme=http,:path=/}", 405, -1},
        {"{:method=DELETE,:scheme=http,:path=/img/1}", 405, -1},
        {"{:method=POST,:scheme=http,:path=/nothing}", 404, -1},
        {"{:method=OPTIONS,:scheme=http,:path=/}", 204, 0},
        {"{:method=OPTIONS,:scheme=http,:path=*}", 204, 0},
        {"{:method=TRACE,:scheme=http,:path=/}", 501, -1},
        {"{:method=get,:scheme=http,:path=/}", 501, -1},
        {"{:method=CONNECT,:authority=a:1}", 501, -1},
    };
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        char text[200];
        sprintf(text, "HEADERS.5.1.%s", pages[i].fields);
        lab_tell(text);
        if (told.streams[0].status != pages[i].status || !told.streams[0].ended ||
            (pages[i].bytes >= 0 && told.streams[0].bytes != pages[i].bytes))
            FAIL("%s: %d, %ld bytes", pages[i].fields, told.streams[0].status,
                 told.streams[0].bytes);
        lab_end();
    }
}

TEST(an_image_is_the_same_in_any_pieces)
{
    static uint8_t whole[5000], pieces[5000];
    struct answer answer;
    route("GET", 3, "/img/9?size=5000", 16, 0, &answer);
    CHECK_INT((long)answer_read(&answer, whole, sizeof whole, 0), 5000);
    CHECK(!memcmp(whole, "\x89PNG\r\n\x1a\n", 8));
    route("GET", 3, "/img/9?size=5000", 16, 0, &answer);
    for (size_t at = 0; at < sizeof pieces;)
        at += answer_read(&answer, pieces + at, 1 + random_below(20), 0);
    CHECK(!memcmp(whole, pieces, sizeof whole));
    route("GET", 3, "/img/8?size=5000", 16, 0, &answer);
    answer_read(&answer, pieces, sizeof pieces, 0);
    CHECK(memcmp(whole + 8, pieces + 8, 64));
}

// Conversations with some bytes changed, in pieces of any size. The lab sees to it that the
// session keeps within its output, and says nothing but frames.
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
        lab_begin();
        story_clear(&told);
        for (size_t at = 0; at < length && !lab.conn.closing;) {
            size_t part = 1 + random_below(random_below(2) ? 2000 : 20);
            part = part < length - at ? part : length - at;
            lab_say(bytes + at, part);
            at += part;
        }
        lab_wait(random_below(70000));
        lab_listen(&told);
        closed += lab.conn.closing;
        lab_end();
    }
    CHECK(closed > CONVERSATIONS / 20 && closed < CONVERSATIONS);
}

// ---- over sockets --------------------------------------------------------------------------

#define PONG "PING.0.0.ee11223344556677" // what is asked last: when it is answered, all is

struct peer {
    int fd;
    uint8_t in[1 << 17];
    size_t length, used;
};

static struct peer peer, good_peer;
static uint32_t good_stream; // of the good peer, the next one

static void peer_open(struct peer *to, int port)
{
    int on = 1;
    signal(SIGPIPE, SIG_IGN);
    *to = (struct peer){.fd = net_connect("127.0.0.1", port)};
    setsockopt(to->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// The next frame; false at the end of the connection, or when none has come for a long time.
static bool peer_frame(struct peer *from, struct frame *frame)
{
    for (;;) {
        struct pollfd ready = {from->fd, POLLIN, 0};
        size_t left = from->length - from->used;
        if (left >= FRAME_HEADER_BYTES) {
            frame_read_header(from->in + from->used, frame);
            if (left >= FRAME_HEADER_BYTES + frame->length) {
                from->used += FRAME_HEADER_BYTES + frame->length;
                CHECK_INT(frame_check(frame).scope, FAULT_NONE);
                return true;
            }
        }
        memmove(from->in, from->in + from->used, left);
        from->length = left;
        from->used = 0;
        if (poll(&ready, 1, ANSWER_SECONDS * 1000) != 1) {
            FAIL("no answer for %d s", ANSWER_SECONDS);
            return false;
        }
        ssize_t got = read(from->fd, from->in + left, sizeof from->in - left);
        if (got <= 0)
            return false;
        from->length += (size_t)got;
    }
}

// Hears the server until it answers the PONG that was said, or is gone. It may do so before it
// sends DATA; so it is asked once more, and then it has sent all that it can.
static void peer_listen(struct peer *from, struct story *story)
{
    struct frame frame;
    for (int times = 0; times < 2 && !story->closed; times++) {
        if (times == 1) {
            story->pong = false;
            script.length = 0;
            script_add(&script, PONG);
            story->closed = write(from->fd, script.bytes, script.length) < 0;
        }
        while (!story->pong && peer_frame(from, &frame))
            story_take(story, &frame);
        story->closed = !story->pong;
    }
}

// Has a whole conversation: says these frames, and then PONG. What the server has to say
// meanwhile does not stop us: a server may wait until its answers are taken.
static void converse(int port, const char *frames)
{
    struct frame frame;
    story_clear(&told);
    peer_open(&peer, port);
    script_begin(&script, frames);
    script_add(&script, PONG);
    net_set_nonblocking(peer.fd);
    for (size_t sent = 0; sent < script.length;) {
        struct pollfd ready = {peer.fd, POLLIN | POLLOUT, 0};
        if (poll(&ready, 1, ANSWER_SECONDS * 1000) != 1)
            break;
        if (ready.revents & POLLOUT) {
            ssize_t put = write(peer.fd, script.bytes + sent, script.length - sent);
            if (put < 0 && errno != EAGAIN)
                break; // it does not want to hear more: what it has said is still there
            sent += put > 0 ? (size_t)put : 0;
        } else if (peer_frame(&peer, &frame)) {
            story_take(&told, &frame);
        } else {
            break;
        }
    }
    peer_listen(&peer, &told);
    close(peer.fd);
}

static void good_begin(int port)
{
    peer_open(&good_peer, port);
    script_begin(&script, "WINDOW_UPDATE.0.0.7fff0000");
    CHECK(write_all(good_peer.fd, script.bytes, script.length));
    good_stream = 1;
}

// A good client beside the others: its connection goes on, whatever they do.
static bool good_request(void)
{
    char text[100];
    struct frame frame;
    bool ended = false, hello = false;
    script.length = 0;
    sprintf(text, "HEADERS.5.%u.828684", good_stream);
    script_add(&script, text);
    if (!write_all(good_peer.fd, script.bytes, script.length))
        return false;
    while (!ended && peer_frame(&good_peer, &frame)) {
        if (frame.type == FRAME_GOAWAY || frame.type == FRAME_RST_STREAM)
            return false;
        if (frame.type != FRAME_DATA)
            continue;
        hello = frame.length == 13 && !memcmp(frame.payload, "hello, world\n", 13);
        ended = frame.stream == good_stream && (frame.flags & FLAG_END_STREAM);
    }
    good_stream += 2;
    return ended && hello;
}

static bool exchange(int port)
{
    good_begin(port);
    bool good = good_request();
    close(good_peer.fd);
    return good;
}

TEST(conversations_with_the_server)
{
    pid_t pid;
    int port = test_start(&pid, "./server --port 0");
    good_begin(port);
    for (size_t i = 0; i < sizeof conversations / sizeof *conversations; i++) {
        converse(port, conversations[i].says);
        if (!strstr(told.text, conversations[i].expected))
            FAIL("%s: expected \"%s\", got:\n%.2000s", conversations[i].what,
                 conversations[i].expected, told.text);
        CHECK(told.error == NO_ERROR || told.closed);
        CHECK(good_request());
    }
    close(good_peer.fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_conversation_byte_by_byte)
{
    pid_t pid;
    int port = test_start(&pid, "./server --port 0");
    script_begin(&script, everything);
    script_add(&script, PONG);
    peer_open(&peer, port);
    story_clear(&told);
    for (size_t i = 0; i < script.length; i++)
        CHECK(write_all(peer.fd, script.bytes + i, 1));
    peer_listen(&peer, &told);
    struct frame frame;
    while (!told.streams[6].ended && peer_frame(&peer, &frame))
        story_take(&told, &frame);
    CHECK(told.streams[0].bytes == 4 && told.streams[2].bytes == 9000);
    CHECK(told.streams[3].reset == 1 + PROTOCOL_ERROR && told.streams[5].status == 404);
    close(peer.fd);
    CHECK_INT(test_stop(pid), 0);
}

static long resident_kb(pid_t pid)
{
    char line[100];
    snprintf(line, sizeof line, "awk '/^VmRSS/ { print $2 }' /proc/%d/status", pid);
    test_run(line);
    return atol(test_output);
}

static long descriptors(pid_t pid)
{
    char line[100];
    snprintf(line, sizeof line, "ls /proc/%d/fd | wc -l", pid);
    test_run(line);
    return atol(test_output);
}

// The largest windows, a hundred of the largest images, and nobody who reads them.
TEST(clients_that_do_not_read)
{
    static int fds[20];
    pid_t pid;
    int port = test_start(&pid, "./server --port 0");
    CHECK(exchange(port));
    long before = resident_kb(pid);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        peer_open(&peer, port);
        fds[i] = peer.fd;
        script_begin(&script, "SETTINGS.0.0.00047fffffff WINDOW_UPDATE.0.0.7fff0000");
        for (int id = 1; id < 200; id += 2) {
            char text[100];
            sprintf(text, "HEADERS.5.%d.{GET,:path=/img/1?size=67108864}", id);
            script_add(&script, text);
        }
        CHECK(write_all(fds[i], script.bytes, script.length));
        CHECK(exchange(port));
    }
    long more = resident_kb(pid) - before;
    if (more > 20 * 256 + 2048) // a send buffer full, and a hundred streams, for each
        FAIL("%ld KB for 20 clients", more);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// Two hundred connections at a time that break off anywhere, and after them nothing is left.
TEST(stress)
{
    static int fds[200];
    struct linger reset = {1, 0};
    pid_t pid;
    signal(SIGPIPE, SIG_IGN);
    int port = test_start(&pid, "./server --port 0");
    CHECK(exchange(port));
    long before = descriptors(pid);
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
            size_t which = random_below(sizeof conversations / sizeof *conversations);
            fds[i] = net_connect("127.0.0.1", port);
            CHECK(fds[i] >= 0);
            net_set_nonblocking(fds[i]);
            script_begin(&script, random_below(2) ? everything : conversations[which].says);
            size_t length = random_below((uint32_t)script.length + 1);
            if (write(fds[i], script.bytes, length) < 0)
                CHECK(errno == EAGAIN || errno == ECONNRESET || errno == EPIPE);
        }
        CHECK(exchange(port));
        for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
            if (random_below(2))
                setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(fds[i]);
        }
    }
    long left = 0;
    for (int tries = 0; tries < 200; tries++) { // those that said GOAWAY linger for 2 s
        left = descriptors(pid) - before;
        if (left <= 0) // one less if the first exchange's was still there
            break;
        sleep_ms(50);
    }
    CHECK(left <= 0);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(sigterm_lets_requests_finish)
{
    pid_t pid;
    struct frame frame;
    int port = test_start(&pid, "./server --port 0");
    story_clear(&told);
    peer_open(&peer, port);
    script_begin(&script, "HEADERS.5.1.{GET,:path=/slow?ms=300} " PONG);
    CHECK(write_all(peer.fd, script.bytes, script.length));
    peer_listen(&peer, &told); // it has the request
    kill(pid, SIGTERM);
    while (peer_frame(&peer, &frame))
        story_take(&told, &frame);
    CHECK_HAS(told.text, "GOAWAY last stream 1 NO_ERROR");
    CHECK(told.streams[0].ended && told.streams[0].status == 200);
    close(peer.fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_options_for_time)
{
    pid_t pid;
    struct frame frame;
    int port = test_start(&pid, "./server --port 0 --idle-ms 200 --stall-ms 400");
    static const struct {
        const char *frames, *expected;
    } cases[] = {{"", "GOAWAY last stream 0 NO_ERROR idle"},
                 {OPEN, "GOAWAY last stream 1 ENHANCE_YOUR_CALM"}};
    for (int i = 0; i < 2; i++) {
        story_clear(&told);
        peer_open(&peer, port);
        script_begin(&script, cases[i].frames);
        CHECK(write_all(peer.fd, script.bytes, script.length));
        while (peer_frame(&peer, &frame))
            story_take(&told, &frame);
        CHECK_HAS(told.text, cases[i].expected);
        close(peer.fd);
    }
    CHECK_INT(test_stop(pid), 0);
}

TEST(http_1_on_the_same_port)
{
    static const struct {
        const char *request, *expected;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "hello, world\n"},
        {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /img/1?size=0 HTTP/1.0\r\n\r\n",
         "Content-Type: image/png"},
        {"PUT / HTTP/1.0\r\n\r\n", "405 Method Not Allowed"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "501"},
        {"GET /stream?n=2&ms=20 HTTP/1.0\r\n\r\n", "piece      2 of      2\n"},
        {"GET /slow?ms=20 HTTP/1.0\r\n\r\n", "that took a while"},
        {"GET / HTTP/1.1\r\n\r\n", "400 Bad Request"},
        {"P\r\n\r\n", "400 Bad Request"},
        {"PR\r\n\r\n", "400 Bad Request"},
    };
    pid_t pid;
    int port = test_start(&pid, "./server --port 0");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static char answer[100000];
        size_t length = 0;
        int fd = net_connect("127.0.0.1", port);
        CHECK(write_all(fd, cases[i].request, strlen(cases[i].request)));
        for (ssize_t got; (got = read(fd, answer + length, sizeof answer - 1 - length)) > 0;)
            length += (size_t)got;
        answer[length] = '\0';
        CHECK_HAS(answer, cases[i].expected);
        close(fd);
    }
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}
