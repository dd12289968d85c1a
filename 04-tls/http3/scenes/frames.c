// frames.c: scene frames: a request and its answer as this program reads and writes them,
// before and after QUIC's encryption.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"
#include "text.h"

#define HEX_BYTES 9 // of a field or frame that are printed
#define REPEATED  3 // requests that are alike

static struct qpack_list list;
static size_t sections[REPEATED]; // bytes of each request's HEADERS
static bool no_table[REPEATED];   // the section needs nothing of a dynamic table
static int section_count;

// ---- bytes in words ------------------------------------------------------------------------

static void print_line(const uint8_t *bytes, size_t length, const char *meaning)
{
    char hex[3 * HEX_BYTES + 8] = "", line[LINE_BYTES];
    size_t at = 0;
    for (size_t i = 0; i < length && i < HEX_BYTES; i++)
        at += (size_t)snprintf(hex + at, sizeof hex - at, "%02x ", bytes[i]);
    if (length > HEX_BYTES)
        snprintf(hex + at, sizeof hex - at, "..");
    snprintf(line, sizeof line, "%s", meaning);
    make_printable(line);
    shorten(line, text_width() - 36);
    printf("    %s%-30s%s %s\n", paint(DIM), hex, paint(PLAIN), line);
}

// How a field is sent: the first bits of its first byte say so.
static const char *form_of(uint8_t first)
{
    if (first & 0x80)
        return "in the table";
    if (first & 0x40)
        return "name in the table";
    return "as text";
}

static void print_section(const uint8_t *section, size_t length)
{
    char words[LINE_BYTES];
    size_t at = 2;
    if (!qpack_decode(section, length, &list))
        die("the server has sent a field section that is no QPACK");
    print_line(section, at, "the section needs no dynamic table");
    for (size_t end = at + 1; end <= length; end++) {
        // The field, or the prefix of the section, is not whole; or there was no room for it.
        if (!qpack_decode(section, end, &list) || list.count == 0 || list.too_long)
            continue;
        const struct http_field *field = &list.fields[list.count - 1];
        snprintf(words, sizeof words, "%.*s: %.*s  (%s)", (int)field->name.length,
                 field->name.at, (int)field->value.length, field->value.at,
                 form_of(section[at]));
        print_line(section + at, end - at, words);
        at = end;
    }
}

static void print_settings(const uint8_t *payload, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint64_t id, value;
        size_t size = number_read(payload + at, length - at, &id);
        size += number_read(payload + at + size, length - at - size, &value);
        char words[80];
        const char *name = "a setting that is unknown here";
        if (id == SETTING_TABLE_CAPACITY)
            name = "QPACK_MAX_TABLE_CAPACITY";
        else if (id == SETTING_SECTION_SIZE)
            name = "MAX_FIELD_SECTION_SIZE";
        snprintf(words, sizeof words, "%s = %llu", name, (unsigned long long)value);
        print_line(payload + at, size, words);
        at += size;
    }
}

static void print_frame_head(enum frame_type type, uint64_t length, const char *name)
{
    uint8_t head[FRAME_HEAD];
    char words[80];
    size_t size = (size_t)(frame_write_head(head, type, length) - head);
    snprintf(words, sizeof words, "%s, %llu bytes", name, (unsigned long long)length);
    print_line(head, size, words);
}

// ---- what the connection tells -------------------------------------------------------------

static void print_stream(const struct stream *s, bool to_peer)
{
    const char *side = "<- server";
    if (to_peer)
        side = "-> client";
    if (s)
        printf("\n  %s%s%s, stream %llu\n", paint(BOLD), side, paint(PLAIN),
               (unsigned long long)s->id);
    else
        printf("\n  %s%s%s, its control stream\n", paint(BOLD), side, paint(PLAIN));
}

static void seen(const struct stream *s, bool to_peer, const struct frame *frame)
{
    bool head = frame->event == FRAME_WHOLE && frame->type == FRAME_HEADERS;
    if (head && to_peer && section_count < REPEATED) {
        no_table[section_count] = frame->length > 2 && !frame->bytes[0] && !frame->bytes[1];
        sections[section_count++] = frame->length;
    }
    if (section_count > 1)
        return; // the first request is shown; those that are alike are only counted
    print_stream(s, to_peer);
    if (head) {
        print_frame_head(FRAME_HEADERS, frame->length, "HEADERS");
        print_section(frame->bytes, frame->length);
    } else if (frame->type == FRAME_SETTINGS && to_peer) {
        print_line(frame->bytes, 1, "this stream is a control stream");
        print_frame_head(FRAME_SETTINGS, frame->length - 3, "SETTINGS");
        print_settings(frame->bytes + 3, frame->length - 3);
    } else if (frame->type == FRAME_SETTINGS) {
        print_frame_head(FRAME_SETTINGS, frame->length, "SETTINGS");
        print_settings(frame->bytes, frame->length);
    } else if (frame->type == FRAME_DATA) {
        print_frame_head(FRAME_DATA, frame->length, "DATA");
        print_line(frame->bytes, frame->length, "the content, and the end of the stream");
    }
}

// ---- a section that would have to wait -----------------------------------------------------

// Sends HEADERS whose section needs the first entry of a dynamic table. Returns true if the
// server closes the connection because of it; *why says how.
static bool is_refused(SSL_CTX *ctx, char why[QUIC_WHY_BYTES])
{
    static const uint8_t needs_one[] = {FRAME_HEADERS, 3, 0x02, 0x00, 0x80};
    static struct h3_client client;
    stage_connect(&client, ctx, stage_host, stage_port);
    struct stream *s = h3_connection_request(&client.connection);
    if (!s || stream_write(s, needs_one, sizeof needs_one) != sizeof needs_one)
        die("cannot send a request");
    stream_end(s);
    int64_t until_ns = now_ns() + STAGE_PATIENCE_NS;
    while (now_ns() < until_ns && h3_step(&client, until_ns))
        ;
    snprintf(why, QUIC_WHY_BYTES, "%s", client.connection.why);
    h3_close(&client);
    return strstr(why, "the peer") && strstr(why, "QPACK_DECOMPRESSION_FAILED");
}

static const struct claim more_complex = {
    "4.45", "guide §3.4", "QPACK is more complex than HPACK, because streams come in any order",
    HOLDS, NULL};

void scene_frames(void)
{
    static struct h3_client client;
    struct answer answers[REPEATED] = {0};
    char why[QUIC_WHY_BYTES];
    SSL_CTX *ctx = stage_context();
    story_say("GET / as HTTP/3 has it. QUIC has the streams, so a frame is only a type, a "
              "length and a payload.");
    client.connection.seen = seen;
    stage_connect(&client, ctx, stage_host, stage_port);
    bool all = true;
    for (int i = 0; i < REPEATED; i++) {
        stage_ask(&client, &answers[i], "/");
        all &= stage_await(&client) && answers[i].status == 200;
    }
    h3_close(&client);
    story_say("");
    story_say("HPACK would send the same fields in a few bytes the second time (lesson 03). "
              "Its table "
              "works because blocks come in order; QUIC's streams do not. QPACK's table needs "
              "two more "
              "streams, and a number in each section that says what it has to wait for. Here "
              "the table "
              "has 0 bytes: nothing waits, and nothing is learnt.");
    story_head("the same request|first|second|third");
    story_row("bytes of HEADERS|%zu|%zu|%zu", sections[0], sections[1], sections[2]);
    bool refused = is_refused(ctx, why), same = true, none = true;
    for (int i = 0; i < REPEATED; i++) {
        same &= sections[i] == sections[0];
        none &= no_table[i];
    }
    SSL_CTX_free(ctx);
    claim_report(&more_complex, holds_if(all && same && none && refused),
                 "without a table a request takes %zu bytes each time; a section that needs an "
                 "entry: %s",
                 sections[0], why);
}
