// fuzz.c: hostile bytes for the readers of WebSocket frames and of event streams, made by
// clang's libFuzzer.
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. Bytes that are read otherwise when they come in parts, or that make a
//         reader touch what is not its own, are kept as build/crash-...
#include <stdint.h>

#include "test_frames.h"
#include "test_streams.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The first two bytes say where the others are cut.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data + 2;
    if (size < 2)
        return 0;
    size_t length = size - 2, cut = (size_t)(data[0] << 8 | data[1]) % (length + 1);
    const char *fault = frames_fault(bytes, length, cut);
    if (!fault && !stream_keeps_the_rule(bytes, length, cut))
        fault = "a stream of events is read otherwise when it comes in parts";
    if (fault) {
        fprintf(stderr, "cut at %zu: %s\n", cut, fault);
        abort();
    }
    return 0;
}
