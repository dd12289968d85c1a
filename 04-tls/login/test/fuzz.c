// fuzz.c: hostile bytes for the readers of tokens, key sets, JSON, cookies and operations on
// sessions, made by clang's libFuzzer.
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. Bytes that break a rule of token_rules.h, or that make a reader touch
//         memory of others, are kept as build/crash-...
#include <stdio.h>

#include "token_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *fault = fault_of((const char *)data, size);
    if (fault) {
        fprintf(stderr, "%s\n", fault);
        abort();
    }
    return 0;
}
