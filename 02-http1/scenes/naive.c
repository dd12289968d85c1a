// naive.c: see naive.h. It is WRONG on purpose: look for what it does not check.
#include "naive.h"

#include <stdlib.h>
#include <string.h>

// The value of a field in the head that ends at `end`; NULL if there is none. WRONG: it takes
// the first place where the name stands, in whatever line that is.
static const char *find_value(const char *head, const char *end, const char *name)
{
    const char *at = strcasestr(head, name);
    if (!at || at >= end)
        return NULL;
    return at + strlen(name);
}

static const char *skip_chunks(const char *at)
{
    for (size_t size = 1; size > 0;) {
        size = strtoul(at, NULL, 16); // WRONG: takes " +5 x" for 5, and "xyz" for 0
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
            size_t bytes = strtoul(length, NULL, 10); // WRONG: takes "-1", "+5", "5, 6"
            at += strnlen(at, bytes);
        }
    }
    return count;
}
