// strip.c: see strip.h.
#include "strip.h"

#include <stdio.h>

#include "text.h"

#define LABEL 28

void strip_note(struct strip *strip, const struct frame *frame)
{
    bool last = frame->flags & FLAG_END_STREAM;
    if (frame->type != FRAME_DATA || strip->count == STRIP_FRAMES)
        return;
    strip->frames[strip->count].stream = frame->stream;
    strip->frames[strip->count].length = frame->length;
    strip->frames[strip->count++].last = last;
}

void strip_draw(const struct strip *strip, uint32_t stream, const char *label)
{
    static const char *const colours[] = {GREEN, CYAN, MAGENTA, YELLOW};
    int end = strip_end(strip, stream);
    char name[LABEL * 2];
    snprintf(name, sizeof name, "stream %u  %s", stream, label);
    fputs("  ", stdout);
    cell(name, LABEL, false);
    fputs(paint(colours[stream / 2 % 4]), stdout);
    bool ends = end >= 0 && end < STRIP_COLUMNS;
    for (int i = 0; i < strip->count && i < (ends ? end + 1 : STRIP_COLUMNS); i++)
        fputs(strip->frames[i].stream == stream ? "█" : " ", stdout);
    printf("%s%s\n", paint(PLAIN), ends ? "|" : " ..");
}

int strip_end(const struct strip *strip, uint32_t stream)
{
    for (int i = 0; i < strip->count; i++)
        if (strip->frames[i].stream == stream && strip->frames[i].last)
            return i;
    return -1;
}

uint32_t strip_bytes(const struct strip *strip, uint32_t stream, int column)
{
    uint32_t bytes = 0;
    for (int i = 0; i < strip->count && i <= column; i++)
        bytes += strip->frames[i].stream == stream ? strip->frames[i].length : 0;
    return bytes;
}
