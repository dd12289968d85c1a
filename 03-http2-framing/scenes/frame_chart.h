// frame_chart.h: a picture of a connection: which stream each DATA frame belongs to, in their
// order.
#ifndef CHART_H
#define CHART_H

#include "frame.h"

#define CHART_FRAMES 1000

struct frame_chart {
    int count;
    struct {
        uint32_t stream, length;
        bool last; // of its stream
    } frames[CHART_FRAMES];
};

// Notes a frame that has come, if it is one with content.
void chart_note(struct frame_chart *chart, const struct frame *frame);

// A row: the frames of one stream, each in its column.
void chart_draw(const struct frame_chart *chart, uint32_t stream, const char *label);

// The column in which a stream ended; -1: it did not.
int chart_end(const struct frame_chart *chart, uint32_t stream);

// Bytes of a stream up to, and with, this column.
uint32_t chart_bytes(const struct frame_chart *chart, uint32_t stream, int column);

#endif
