// fuzz.c: hostile answers for the store, made by clang's libFuzzer.
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. Bytes that break a rule of answer_rules.h are kept as build/crash-...
#include <stdint.h>
#include <stdio.h>

#include "answer_rules.h"
#include "settings.h"

struct settings settings = {.self = {"workbench", false}};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    cache_begin(&(struct cache_limits){1 << 20, 1 << 16});
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *fault = answer_fault((const char *)data, size);
    if (fault) {
        fprintf(stderr, "%s\n", fault);
        abort();
    }
    return 0;
}
