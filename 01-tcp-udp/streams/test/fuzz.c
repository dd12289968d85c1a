// fuzz.c: hostile bytes for the reader of packets, and for a connection that has begun, made by
// clang's libFuzzer.
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. Bytes that break a rule of packet_rules.h, or that make the code touch
//         memory of others, are kept as build/crash-...
#include <stdint.h>
#include <stdio.h>

#include "packet_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The first byte says to which end the frames behind it go.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const char *fault = datagram_fault(data + 1, size - 1);
    if (!fault && size - 1 <= DATAGRAM_MAX)
        fault = connection_fault(data[0] & 1, data + 1, size - 1);
    if (fault) {
        fprintf(stderr, "%s\n", fault);
        abort();
    }
    return 0;
}
