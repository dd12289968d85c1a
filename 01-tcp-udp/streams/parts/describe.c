// describe.c: see describe.h.
#include "describe.h"

#include <stdio.h>
#include <string.h>

#include "frames.h"

static void say_ack(FILE *text, const struct frame *f)
{
    fprintf(text, "  ACK");
    for (uint32_t i = f->ack_count; i-- > 0;) {
        fprintf(text, " %llu", (unsigned long long)f->acks[i].from);
        if (f->acks[i].to - f->acks[i].from > 1)
            fprintf(text, "-%llu", (unsigned long long)f->acks[i].to - 1);
    }
}

static void say_frame(FILE *text, const struct frame *f)
{
    unsigned long long stream = f->stream, value = f->value;
    switch (f->type) {
    case FRAME_PADDING:
        fprintf(text, "  PADDING %llu", (unsigned long long)f->length);
        break;
    case FRAME_PING:
        fprintf(text, "  PING");
        break;
    case FRAME_ACK:
        say_ack(text, f);
        break;
    case FRAME_RESET_STREAM:
        fprintf(text, "  RESET_STREAM %llu, %llu", stream, (unsigned long long)f->code);
        break;
    case FRAME_STREAM:
    case FRAME_STREAM_END:
        fprintf(text, "  STREAM %llu [%llu, %llu)%s", stream, (unsigned long long)f->offset,
                (unsigned long long)(f->offset + f->length),
                f->type == FRAME_STREAM_END ? " end" : "");
        break;
    case FRAME_MAX_DATA:
        fprintf(text, "  MAX_DATA %llu", value);
        break;
    case FRAME_MAX_STREAM_DATA:
        fprintf(text, "  MAX_STREAM_DATA %llu, %llu", stream, value);
        break;
    case FRAME_PATH_CHALLENGE:
        fprintf(text, "  PATH_CHALLENGE");
        break;
    case FRAME_PATH_RESPONSE:
        fprintf(text, "  PATH_RESPONSE");
        break;
    default:
        fprintf(text, "  CLOSE %llu", (unsigned long long)f->code);
        break;
    }
}

static void say_datagram(FILE *text, const uint8_t *datagram, size_t length)
{
    static const char *const names[] = {"FIRST", "RETRY", "SHORT", "VERSIONS", "?"};
    struct header header;
    struct frame frame;
    ssize_t used;
    size_t at = header_read(datagram, length, &header);
    if (at == 0)
        return;
    fprintf(text, "%s", names[header.type]);
    if (header.type > PACKET_SHORT || header.type == PACKET_RETRY)
        return;
    fprintf(text, " %llu", (unsigned long long)header.number);
    if (header.token_length)
        fprintf(text, "  token");
    // What cannot be read behind the last frame is the tag, if there is one.
    for (; at < length && (used = frame_read(datagram + at, length - at, &frame)) > 0;
         at += (size_t)used)
        say_frame(text, &frame);
}

void describe(const uint8_t *datagram, size_t length, char *out, size_t room)
{
    memset(out, 0, room);
    FILE *text = fmemopen(out, room - 1, "w"); // what finds no room is left out
    if (!text)
        return;
    say_datagram(text, datagram, length);
    fclose(text);
}
