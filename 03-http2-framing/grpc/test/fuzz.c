// fuzz.c: hostile bytes for the reader of messages, for a server's calls, and for a client's,
// made by clang's libFuzzer.
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. Bytes that break a rule of protobuf_rules.h, or that make a reader touch
//         memory of others, are kept as build/crash-...
#include <stdio.h>

#include "pair.h"
#include "protobuf_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pair pair;

// Gives one end the bytes, in two pieces.
static void take(struct end *end, const uint8_t *bytes, size_t length, size_t cut)
{
    for (int i = 0; i < 2 && !end->calls.transport.closing; i++) {
        size_t piece = i ? length - cut : cut;
        if (piece > sizeof end->in - end->in_length)
            return;
        if (piece)
            memcpy(end->in + end->in_length, bytes + (i ? cut : 0), piece);
        end->in_length += piece;
        pair_lend(&pair, end);
        size_t used = transport_take(&end->calls.transport, end->in, end->in_length);
        pair_collect(end);
        end->in_length -= used;
        memmove(end->in, end->in + used, end->in_length);
        pair.now_ns += 500000000;
        pair_write(&pair, end);
    }
}

// The first byte says who gets the rest, the second one where the bytes are cut in two.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t opening[] = PREFACE "\0\0\0\4\0\0\0\0\0";
    struct seen seen[2];
    if (size < 2)
        return 0;
    const uint8_t *bytes = data + 2;
    size_t length = size - 2, cut = data[1] * length / 256;
    if (data[0] % 3 == 0) {
        const char *fault = protobuf_fault(bytes, length);
        if (fault) {
            fprintf(stderr, "%s\n", fault);
            abort();
        }
        return 0;
    }
    pair_begin(&pair);
    if (data[0] % 3 == 1) {
        take(&pair.server, opening, sizeof opening - 1, 0);
        take(&pair.server, bytes, length, cut);
    } else {
        for (int i = 0; i < 2; i++) {
            struct call *call = pair_call(
                &pair, i ? "/toDo.ToDo/exchangeToDos" : "/toDo.ToDo/createToDo", 600, &seen[i]);
            call_send(call, "\x12\x02hi", 4);
            call_half_close(call);
        }
        pair_write(&pair, &pair.client);
        take(&pair.client, opening + PREFACE_BYTES, 9, 0);
        take(&pair.client, bytes, length, cut);
    }
    pair_end(&pair);
    if (data[0] % 3 == 2 && (!seen[0].ended || !seen[1].ended)) {
        fprintf(stderr, "a call that has not ended\n");
        abort();
    }
    return 0;
}
