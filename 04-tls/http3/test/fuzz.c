// fuzz.c: hostile bytes for the readers of frames and of field sections, made by clang's
// libFuzzer.
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. Bytes that break a rule of frame_rules.h, or that make a reader touch
// memory
//         of others, are kept as build/crash-...
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "frame_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The first two bytes say at which place the other bytes are cut in two.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t length = size - 2, cut = (size_t)(data[0] << 8 | data[1]) % (length + 1);
    uint64_t state = 0;
    const char *fault = frames_fault(data + 2, length, cut);
    if (!fault)
        fault = fields_fault(data + 2, length);
    qpack_instructions(data[0] & 1, &state, data + 2, length);
    if (fault) {
        fprintf(stderr, "cut at %zu: %s\n", cut, fault);
        abort();
    }
    return 0;
}
