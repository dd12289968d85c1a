// frame_chart.c: see frame_chart.h.
#include "frame_chart.h"

#include <stdio.h>

#include "text.h"

#define LABEL  28
#define MARGIN 6 // columns around the frames

void chart_note(struct frame_chart *chart, const struct frame *frame)
{
    bool last = frame->flags & FLAG_END_STREAM;
    if (frame->type != FRAME_DATA || chart->count == CHART_FRAMES)
        return;
    chart->frames[chart->count].stream = frame->stream;
    chart->frames[chart->count].length = frame->length;
    chart->frames[chart->count++].last = last;
}

void chart_draw(const struct frame_chart *chart, uint32_t stream, const char *label)
{
    static const char *const colours[] = {GREEN, CYAN, MAGENTA, YELLOW};
    int end = chart_end(chart, stream);
    char name[LABEL * 2];
    snprintf(name, sizeof name, "stream %u  %s", stream, label);
    fputs("  ", stdout);
    cell(name, LABEL, false);
    fputs(paint(colours[stream / 2 % 4]), stdout);
    int columns_here = text_width() - LABEL - MARGIN; // a column for each frame
    const char *behind = " ..";
    if (end >= 0 && end < columns_here) {
        columns_here = end + 1;
        behind = "|";
    }
    for (int i = 0; i < chart->count && i < columns_here; i++)
        fputs(chart->frames[i].stream == stream ? "█" : " ", stdout);
    printf("%s%s\n", paint(PLAIN), behind);
}

int chart_end(const struct frame_chart *chart, uint32_t stream)
{
    for (int i = 0; i < chart->count; i++)
        if (chart->frames[i].stream == stream && chart->frames[i].last)
            return i;
    return -1;
}

uint32_t chart_bytes(const struct frame_chart *chart, uint32_t stream, int column)
{
    uint32_t bytes = 0;
    for (int i = 0; i < chart->count && i <= column; i++)
        if (chart->frames[i].stream == stream)
            bytes += chart->frames[i].length;
    return bytes;
}
