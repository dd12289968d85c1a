// strip.h: a picture of a connection: which stream each DATA frame belongs to, in their order.
#ifndef STRIP_H
#define STRIP_H

#include "frame.h"

#define STRIP_FRAMES  1000
#define STRIP_COLUMNS 66 // that are drawn, one for each frame

struct strip {
    int count;
    struct {
        uint32_t stream, length;
        bool last; // of its stream
    } frames[STRIP_FRAMES];
};

// Notes a frame that has come, if it is one with content.
void strip_note(struct strip *strip, const struct frame *frame);

// A row: the frames of one stream, each in its column.
void strip_draw(const struct strip *strip, uint32_t stream, const char *label);

// The column in which a stream ended; -1: it did not.
int strip_end(const struct strip *strip, uint32_t stream);

// Bytes of a stream up to, and with, this column.
uint32_t strip_bytes(const struct strip *strip, uint32_t stream, int column);

#endif
