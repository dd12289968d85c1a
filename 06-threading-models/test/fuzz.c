// fuzz.c: request_read() on bytes that libFuzzer makes: `make fuzz` (needs clang). What it must
// not do is left to the sanitizers; what it must do is here: it reads no further than it says,
// so that what follows a request changes nothing, and it never stops half-way.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *text = (const char *)bytes;
    struct http_server http = {.content_max = 0}, fresh;
    struct request request, again;
    for (size_t used = 0, part; used < length; used += part) {
        part = request_read(&http, text + used, length - used, &request);
        if (part == 0) // more has to come; but not for ever
            break;
        if (part > length - used)
            abort();
        if (request.route == REFUSED && part == length - used && !http.keep_alive)
            break; // nothing is known about what follows
        // The same bytes without what follows them, in memory of exactly that size.
        char *alone = malloc(part);
        memcpy(alone, text + used, part);
        fresh = (struct http_server){.content_max = 0};
        if (request_read(&fresh, alone, part, &again) != part || again.route != request.route ||
            again.ms != request.ms || again.times != request.times ||
            fresh.keep_alive != http.keep_alive)
            abort();
        fresh = (struct http_server){.content_max = 0};
        if (request_read(&fresh, alone, part - 1, &again)) // a whole one, and not before
            abort();
        free(alone);
    }
    return 0;
}
