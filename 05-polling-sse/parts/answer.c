// answer.c: see answer.h.
#include "answer.h"

#include <stdio.h>

bool answer_is_good(const struct fetch *f, enum fetch_result result, char why[ANSWER_WHY])
{
    int status = f->head.status;
    fetch_why(f, result, why);
    if (result == FETCH_MALFORMED || result == FETCH_TOO_LONG)
        die("%s: %s", f->about, why);
    if (result != FETCH_OK || status < 300)
        return result == FETCH_OK;
    snprintf(why, ANSWER_WHY, "the server says %d %s", status, http_reason(status));
    if (status < 500)
        die("%s: %s", f->about, why);
    return false;
}
