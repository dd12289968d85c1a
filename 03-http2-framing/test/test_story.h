// test_story.h: what a server has said, in words that a test can look for.
#ifndef TEST_STORY_H
#define TEST_STORY_H

#include "message.h"
#include "test_hpack.h"

#define TRANSCRIPT (1 << 20)

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
    CHECK(hpack_decode(&story->decoder, frame->content, frame->content_length, &decoded));
    CHECK_AT_LEAST(decoded.count, 1);
    CHECK_INT(decoded.fields[0].static_name, HPACK_STATUS);
    CHECK_INT(decoded.fields[0].value_length, 3);
    *status = 0;
    for (int i = 0; i < 3; i++)
        *status = *status * 10 + decoded.fields[0].value[i] - '0';
    for (size_t i = 1; i < decoded.count; i++)
        CHECK(!message_check_field(&decoded.fields[i]));
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

#endif
