// frame_names.h: frames in words, for logs, clients and scenes.
#ifndef FRAME_NAMES_H
#define FRAME_NAMES_H

#include "frame.h"

// Names as the RFC writes them; "type 0x0c" or "code 99" if there is no name. The text of an
// unknown one is valid until the next such call.
const char *frame_type_name(uint8_t type);
const char *error_code_name(uint32_t code);

// Describes a frame in one line of words, such as "HEADERS stream 1 END_STREAM END_HEADERS 31
// bytes" or "WINDOW_UPDATE stream 0 +65535". Returns text. The payload must be there.
char *frame_describe(const struct frame *frame, char *text, size_t size);

#endif
