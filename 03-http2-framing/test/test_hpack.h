// test_hpack.h: header blocks: the RFC's own examples, blocks that are none, and mutated ones.
#ifndef TEST_HPACK_H
#define TEST_HPACK_H

#include "hpack.h"
#include "test_frames.h"

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

static struct hpack_list decoded;

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
        CHECK(hpack_decode(&decoder, block, length, &decoded));
        describe_list(&decoded, text);
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
        if (hpack_decode(&decoder, block, from_hex(bad_blocks[i].block, block), &decoded))
            FAIL("taken: %s", bad_blocks[i].what);
        hpack_table_free(&decoder.table);
    }
}

static bool decode_hex(struct hpack_decoder *decoder, const char *hex)
{
    uint8_t block[200];
    return hpack_decode(decoder, block, from_hex(hex, block), &decoded);
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
    CHECK(hpack_decode(&decoder, block, (size_t)(end - block), &decoded));
    hpack_encoder_limit(&encoder, 0); // and back, before the next block: both are told (§4.2)
    hpack_encoder_limit(&encoder, 1000000);
    CHECK_INT(encoder.table.count, 0);
    end = hpack_encode(&encoder, block, &field, 1);
    CHECK_INT(block[0], 0x20);
    CHECK_INT(block[1], 0x3f);
    CHECK(hpack_decode(&decoder, block, (size_t)(end - block), &decoded));
    CHECK_INT(decoder.table.max, HPACK_TABLE_MAX);
    CHECK_INT(decoder.table.count, 1);
    hpack_decoder_limit(&decoder, 40);
    hpack_encoder_limit(&encoder, 40);
    end = hpack_encode(&encoder, block, &field, 1);
    CHECK(hpack_decode(&decoder, block, (size_t)(end - block), &decoded));
    CHECK_INT(decoded.count, 1);
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
        if (!hpack_decode(&decoder, block, (size_t)(end - block), &decoded) ||
            decoded.count != count) {
            FAIL("round %d", round);
            break;
        }
        for (size_t i = 0; i < count; i++) {
            CHECK_INT(decoded.fields[i].name_length, fields[i].name_length);
            CHECK_INT(decoded.fields[i].value_length, fields[i].value_length);
            CHECK(!memcmp(decoded.fields[i].name, fields[i].name, fields[i].name_length));
            CHECK(!memcmp(decoded.fields[i].value, fields[i].value, fields[i].value_length));
        }
        CHECK_INT(encoder.table.size, decoder.table.size);
        CHECK_INT(encoder.table.count, decoder.table.count);
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
            bool good = hpack_decode(&decoder, exact, length, &decoded);
            free(exact);
            taken += good;
            CHECK_AT_MOST(decoder.table.size, HPACK_TABLE_MAX);
            CHECK_AT_MOST(decoded.size, HPACK_LIST_MAX);
            if (!good)
                break;
        }
        hpack_table_free(&decoder.table);
    }
    CHECK_BETWEEN(taken, 1001, 3 * MUTATIONS - 1);
}

#endif
