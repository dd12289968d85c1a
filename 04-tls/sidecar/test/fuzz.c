// fuzz.c: hostile bytes for the file of services and for the fields of a trace, made by clang's
// libFuzzer.
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. Bytes that break a rule of file_rules.h, or that make a reader touch
//         memory of others, are kept as build/crash-...
#include <stdint.h>

#include "file_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The first byte says which reader gets the others; of a trace, a '\0' parts the two fields.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data + 1, *fault = NULL;
    if (size < 1)
        return 0;
    size_t length = size - 1;
    if (data[0] == 's') {
        fault = service_file_fault(bytes, length);
    } else {
        const char *parts = memchr(bytes, '\0', length);
        size_t parent = parts ? (size_t)(parts - bytes) : length;
        size_t rest = length - parent;
        fault = trace_fault(bytes, parent, bytes + parent + (rest > 0), rest - (rest > 0));
    }
    if (fault) {
        fprintf(stderr, "%s\n", fault);
        abort();
    }
    return 0;
}
