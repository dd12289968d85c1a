// fuzz.c: hostile bytes for the reader of frames, for the reader of queries, and for a client,
// made by clang's libFuzzer.
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. Bytes that make one of them break the rules in test_frames.h, or touch
//         what is not its own, are kept as build/crash-...
#include <stdint.h>

#include "test_frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The first byte chooses the reader of the others.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *(*const targets[])(const char *bytes, size_t length) = {
        frames_fault, query_fault, client_fault};
    if (size == 0)
        return 0;
    const char *fault = targets[*data % 3]((const char *)data + 1, size - 1);
    if (fault) {
        fprintf(stderr, "%s\n", fault);
        abort();
    }
    return 0;
}
