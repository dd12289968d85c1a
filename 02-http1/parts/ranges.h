// ranges.h: parts of a file, as a client asks for them: "Range: bytes=0-99, 200-, -50" (RFC
// 9110 §14). One range is sent as it is. Several are the parts of a multipart/byteranges:
// before each there is a boundary, and a small head that says where in the file the part
// belongs.
#ifndef RANGES_H
#define RANGES_H

#include "http.h"

#define RANGES_MAX      16  // a request for more ranges gets the whole file
#define PART_HEAD_BYTES 300 // of the boundary and the head of a part

struct ranges {
    uint64_t size;    // of the whole file
    const char *type; // its Content-Type
    int count;
    struct {
        uint64_t from, length;
    } range[RANGES_MAX];
};

enum ranges_result {
    RANGES_IGNORED, // no range that this server understands or grants: send the whole file
    RANGES_FOUND,
    RANGES_OUTSIDE // all of them begin behind the end of the file: 416
};

// Reads the value of a Range field, for a file of `size` bytes.
enum ranges_result ranges_read(struct http_text value, uint64_t size, struct ranges *ranges);

// The Content-Type of an answer with several ranges.
const char *ranges_type(void);

// How many bytes of content the ranges make, with what stands between them.
uint64_t ranges_length(const struct ranges *ranges);

// What stands at one position of that content, up to the next change: text, or bytes of the
// file.
struct ranges_piece {
    const char *text; // NULL: bytes of the file, from `offset` on
    uint64_t offset, length;
    char head[PART_HEAD_BYTES];
};

void ranges_at(const struct ranges *ranges, uint64_t position, struct ranges_piece *piece);

#endif
