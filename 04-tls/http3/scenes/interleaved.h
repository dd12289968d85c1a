// interleaved.h: what the program of interleaved.c and its client have in common.
#ifndef INTERLEAVED_H
#define INTERLEAVED_H

#include <stdint.h>

#define INTERLEAVED_PORT      8306
#define INTERLEAVED_DOWNLOADS 6
#define INTERLEAVED_PIECE     1200 // bytes of a download in a record, at most

struct interleaved_wish {
    uint32_t bytes;   // of each download
    char control[16]; // the server's congestion control: "reno", "cubic"
};

#endif
