// kept.c: see kept.h.
#include "kept.h"

#include <stdlib.h>
#include <string.h>

bool kept_set(struct kept *kept, const char *bytes, size_t length)
{
    char *copy = NULL;
    if (length > 0)
        copy = malloc(length);
    if (copy)
        memcpy(copy, bytes, length);
    free(kept->bytes);
    *kept = (struct kept){copy, length};
    return copy || length == 0;
}
