// fuzz.c: hostile bytes for the reader of packets and for the tree of filters, made by clang's
// libFuzzer.
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. Bytes that break a rule of packet_rules.h, or that make the reader touch
//         memory of others, are kept as build/crash-...
#include <stdint.h>
#include <stdio.h>

#include "packet_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The first two bytes say at which place the other bytes are cut in two.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data + 2;
    if (size < 2)
        return 0;
    size_t length = size - 2, cut = (size_t)(data[0] << 8 | data[1]) % (length + 1);
    const char *fault = packets_fault(bytes, length, cut, MQTT_FROM_CLIENT);
    if (!fault)
        fault = packets_fault(bytes, length, cut, MQTT_FROM_SERVER);
    if (!fault)
        fault = topics_fault(bytes, length);
    if (fault) {
        fprintf(stderr, "cut at %zu: %s\n", cut, fault);
        abort();
    }
    return 0;
}
