// frame_dump.h: frames and header blocks for people: their bytes in groups, and what they mean.
#ifndef FRAME_DUMP_H
#define FRAME_DUMP_H

#include "frame.h"
#include "hpack.h"

// What is over the first frame: the names of the four groups, and a client's first 24 bytes.
void dump_beginning(void);

// A frame, whose nine bytes are in front of its payload; of that, so many lines of bytes.
void dump_frame(bool to_server, const struct frame *frame, int lines);

// A field of a header block, below its frame.
void dump_field(const struct hpack_field *field);

// A header block, piece by piece. `fields` are what it decodes to.
void dump_block(const uint8_t *block, size_t length, const struct hpack_field *fields,
                size_t count);

#endif
