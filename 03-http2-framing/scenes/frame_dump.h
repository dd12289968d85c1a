// frame_dump.h: frames and header blocks for people: their bytes in groups, and what they mean.
#ifndef FRAME_DUMP_H
#define FRAME_DUMP_H

#include "frame.h"
#include "hpack.h"

// Prints what stands over the first frame: the names of the four groups, and the first 24 bytes
// of a client.
void dump_beginning(void);

// Prints a frame: its nine bytes, which have to stand in front of the payload; and of the
// payload at most `lines` lines of bytes.
void dump_frame(bool to_server, const struct frame *frame, int lines);

// Prints a field of a header block, below its frame.
void dump_field(const struct hpack_field *field);

// Prints a header block, piece by piece. `fields` are what the block decodes to.
void dump_block(const uint8_t *block, size_t length, const struct hpack_field *fields,
                size_t count);

#endif
