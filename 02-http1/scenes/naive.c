// naive.c: see naive.h. WRONG on purpose: look for what it does not check.
#include "naive.h"

#include <stdlib.h>
#include <string.h>

// The value of a field in the head that ends at `end`; whatever comes first, however it is
// spelt.
static const char *find_value(const char *head, const char *end, const char *name)
{
    const char *at = strcasestr(head, name);
    return at && at < end ? at + strlen(name) : NULL;
}

static const char *skip_chunks(const char *at)
{
    for (size_t size = 1; size > 0;) {
        size = strtoul(at, NULL, 16); // also " +5 whatever", and 0 for what is no number
        at = strstr(at, "\r\n");
        if (!at || size + 4 > strlen(at))
            return "";
        at += 2 + size + 2;
    }
    return at;
}

int naive_read(const char *text, enum naive_rule rule, size_t starts[NAIVE_REQUESTS])
{
    int count = 0;
    for (const char *at = text; *at && count < NAIVE_REQUESTS;) {
        const char *end = strstr(at, "\r\n\r\n");
        if (!end)
            break;
        starts[count++] = (size_t)(at - text);
        const char *length = find_value(at, end, "content-length:");
        const char *coding = find_value(at, end, "transfer-encoding:");
        at = end + 4;
        if (coding && rule == BY_CHUNKS) {
            at = skip_chunks(at);
        } else if (length) {
            size_t bytes = strtoul(length, NULL, 10); // also "-1", "+5", "5, 6"
            at += bytes < strlen(at) ? bytes : strlen(at);
        }
    }
    return count;
}
