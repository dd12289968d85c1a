// describe.c: see describe.h.
#include "describe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "frames.h"

struct text {
    char *at;
    size_t room;
};

static void say(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void say(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->at, text->room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= text->room)
        length = (int)text->room - 1;
    text->at += length;
    text->room -= (size_t)length;
}

static void say_ack(struct text *text, const struct frame *f)
{
    say(text, "  ACK");
    for (uint32_t i = f->ack_count; i-- > 0;) {
        say(text, " %llu", (unsigned long long)f->acks[i].from);
        if (f->acks[i].to - f->acks[i].from > 1)
            say(text, "-%llu", (unsigned long long)f->acks[i].to - 1);
    }
}

static void say_frame(struct text *text, const struct frame *f)
{
    unsigned long long stream = f->stream, value = f->value;
    switch (f->type) {
    case FRAME_PADDING:
        say(text, "  PADDING %llu", (unsigned long long)f->length);
        break;
    case FRAME_PING:
        say(text, "  PING");
        break;
    case FRAME_ACK:
        say_ack(text, f);
        break;
    case FRAME_RESET_STREAM:
        say(text, "  RESET_STREAM %llu, %llu", stream, (unsigned long long)f->code);
        break;
    case FRAME_STREAM:
    case FRAME_STREAM_END:
        say(text, "  STREAM %llu [%llu, %llu)%s", stream, (unsigned long long)f->offset,
            (unsigned long long)(f->offset + f->length),
            f->type == FRAME_STREAM_END ? " end" : "");
        break;
    case FRAME_MAX_DATA:
        say(text, "  MAX_DATA %llu", value);
        break;
    case FRAME_MAX_STREAM_DATA:
        say(text, "  MAX_STREAM_DATA %llu, %llu", stream, value);
        break;
    case FRAME_PATH_CHALLENGE:
        say(text, "  PATH_CHALLENGE");
        break;
    case FRAME_PATH_RESPONSE:
        say(text, "  PATH_RESPONSE");
        break;
    default:
        say(text, "  CLOSE %llu", (unsigned long long)f->code);
        break;
    }
}

void describe(const uint8_t *datagram, size_t length, char *out, size_t room)
{
    static const char *const names[] = {"FIRST", "RETRY", "SHORT", "VERSIONS", "?"};
    struct text text = {out, room};
    struct header header;
    struct frame frame;
    size_t at = header_read(datagram, length, &header);
    *out = '\0';
    if (at == 0)
        return;
    say(&text, "%s", names[header.type]);
    if (header.type > PACKET_SHORT || header.type == PACKET_RETRY)
        return;
    say(&text, " %llu", (unsigned long long)header.number);
    if (header.token_length)
        say(&text, "  token");
    while (at < length) {
        ssize_t used = frame_read(datagram + at, length - at, &frame);
        if (used < 0)
            return; // the tag, if there is one
        say_frame(&text, &frame);
        at += (size_t)used;
    }
}
