// fuzz.c: libFuzzer, a part of clang, makes hostile bytes for the functions of ../common/http.h
// that read messages.
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. Bytes that break a rule of test_parser.h are kept as build/crash-...
#include <stdint.h>
#include <stdio.h>

#include "test_parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The first two bytes say where the others are cut.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data + 2, *fault;
    if (size < 2)
        return 0;
    size_t length = size - 2, cut = (size_t)(data[0] << 8 | data[1]) % (length + 1);
    if (!(fault = reading_fault(bytes, length, cut)))
        fault = response_fault(bytes, length, cut);
    if (fault) {
        fprintf(stderr, "cut at %zu: %s\n", cut, fault);
        abort();
    }
    return 0;
}
