// parse_cost.h: the CPU time that the head of a request takes to be read: as text, and as
// HPACK.
#ifndef PARSE_COST_H
#define PARSE_COST_H

#include <stddef.h>

struct parse_cost {
    size_t text_bytes, plain_bytes, first_bytes, later_bytes;
    double text_us, plain_us, first_us, later_us; // the lowest of some tries
    int wrong;                                    // heads that were not understood
};

// A browser's request as text of HTTP/1.1; as the first header block of a connection, without
// Huffman's code and with it; and as a later one, when the decoder has the table. Each is also
// checked as a request.
struct parse_cost parse_cost(void);

#endif
