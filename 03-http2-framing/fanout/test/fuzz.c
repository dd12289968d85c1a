// fuzz.c: header lists made by libFuzzer: requests of HTTP/2 that pass to HTTP/1.1, and answers
// that come back. The first byte says which.
#include "fields_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool passed;
    const char *wrong;
    if (size == 0)
        return 0;
    if (*data % 2)
        wrong = check_request_rules(data + 1, size - 1, &passed);
    else
        wrong = check_answer_rules((const char *)data + 1, size - 1, &passed);
    if (wrong)
        abort();
    return 0;
}
