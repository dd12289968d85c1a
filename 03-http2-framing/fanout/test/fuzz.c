// fuzz.c: hostile bytes made by libFuzzer: header lists that pass from HTTP/2 to HTTP/1.1 and
// back (fields_rules.h), and a proxy between a client and a backend (fake_proxy.h).
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. What breaks a rule, or touches memory of others, is kept as
// build/crash-...
#include "fake_proxy.h"
#include "fields_rules.h"
#include "smaller.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Pieces of bytes for one of the two: a byte says for whom (the highest bit) and how many. Time
// passes between them.
static void fuzz_proxy(bool http1, const uint8_t *bytes, size_t size)
{
    static const uint8_t opening[] = PREFACE "\0\0\0\4\0\0\0\0\0";
    log_begin(true);
    fake_begin(http1);
    fake_take(&fake.client, opening, sizeof opening - 1);
    while (size > 0) {
        bool of_backend = *bytes & 0x80;
        size_t length = smaller((*bytes & 0x7f) * 2, size - 1);
        bool settings_first = of_backend && !http1 && fake.backend.open &&
                              fake.upstream.transport.state == TRANSPORT_SETTINGS;
        bytes++;
        size--;
        if (settings_first)
            fake_take(&fake.backend, opening + PREFACE_BYTES, 9);
        fake_take(of_backend ? &fake.backend : &fake.client, bytes, length);
        bytes += length;
        size -= length;
        fake.loop.now_ns += 300000000;
        frontend_calls.timeout(&fake.frontend.conn);
        fake_move();
    }
    fake_end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool passed;
    const char *wrong = NULL;
    if (size == 0)
        return 0;
    switch (*data % 4) {
    case 0:
        wrong = check_answer_rules((const char *)data + 1, size - 1, &passed);
        break;
    case 1:
        wrong = check_request_rules(data + 1, size - 1, &passed);
        break;
    default:
        fuzz_proxy(*data % 4 == 3, data + 1, size - 1);
    }
    if (wrong)
        abort();
    return 0;
}
