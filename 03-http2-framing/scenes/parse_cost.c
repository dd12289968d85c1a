// parse_cost.c: see parse_cost.h.
#include "parse_cost.h"

#include "browser_request.h"
#include "http.h"
#include "measure.h"
#include "message.h"
#include "net.h"

#define TIMES       5000 // heads in a try
#define TRIES       5
#define BLOCK_BYTES 2048

static struct hpack_list list;

static void keep_lowest(double *lowest_us, double took_ms)
{
    double us = took_ms * 1e3 / TIMES;
    if (*lowest_us <= 0 || us < *lowest_us)
        *lowest_us = us;
}

static bool is_read(struct hpack_decoder *decoder, const uint8_t *block, size_t length)
{
    struct request request;
    return hpack_decode(decoder, block, length, &list) && !request_read(&list, &request);
}

static size_t encode(struct hpack_encoder *encoder, uint8_t *block, const char *path)
{
    struct hpack_field fields[BROWSER_FIELDS];
    browser_fields(fields, path);
    if (hpack_bound(fields, BROWSER_FIELDS) > BLOCK_BYTES)
        die("a header block of more than %d bytes", BLOCK_BYTES);
    return (size_t)(hpack_encode(encoder, block, fields, BROWSER_FIELDS) - block);
}

// Reads the first header block of a connection, again and again.
static void read_first(const uint8_t *block, size_t length, double *us, int *wrong)
{
    struct hpack_decoder decoder;
    double start_ms = cpu_ms();
    for (int i = 0; i < TIMES; i++) {
        hpack_decoder_begin(&decoder);
        *wrong += !is_read(&decoder, block, length);
        hpack_table_free(&decoder.table);
    }
    keep_lowest(us, cpu_ms() - start_ms);
}

static void try_once(struct parse_cost *cost, const char *text, const uint8_t *plain,
                     const uint8_t *first, const uint8_t *later)
{
    struct http_head head;
    struct hpack_decoder decoder;
    double start_ms = cpu_ms();
    for (int i = 0; i < TIMES; i++)
        cost->wrong += http_read_request(text, cost->text_bytes, &head) <= 0;
    keep_lowest(&cost->text_us, cpu_ms() - start_ms);
    read_first(plain, cost->plain_bytes, &cost->plain_us, &cost->wrong);
    read_first(first, cost->first_bytes, &cost->first_us, &cost->wrong);
    hpack_decoder_begin(&decoder);
    cost->wrong += !is_read(&decoder, first, cost->first_bytes);
    start_ms = cpu_ms();
    for (int i = 0; i < TIMES; i++)
        cost->wrong += !is_read(&decoder, later, cost->later_bytes);
    keep_lowest(&cost->later_us, cpu_ms() - start_ms);
    hpack_table_free(&decoder.table);
}

struct parse_cost parse_cost(void)
{
    static uint8_t plain[BLOCK_BYTES], first[BLOCK_BYTES], later[BLOCK_BYTES];
    struct parse_cost cost = {0};
    struct hpack_encoder encoder, plain_encoder;
    char text[BROWSER_TEXT_BYTES];
    hpack_encoder_begin(&encoder);
    hpack_encoder_begin(&plain_encoder);
    plain_encoder.no_huffman = true;
    cost.plain_bytes = encode(&plain_encoder, plain, "/img/1?size=200");
    cost.first_bytes = encode(&encoder, first, "/img/1?size=200");
    cost.later_bytes = encode(&encoder, later, "/img/2?size=200");
    cost.text_bytes = browser_text(text, "/img/2?size=200");
    for (int i = 0; i < TRIES; i++)
        try_once(&cost, text, plain, first, later);
    hpack_table_free(&encoder.table);
    hpack_table_free(&plain_encoder.table);
    return cost;
}
