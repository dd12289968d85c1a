// answer.c: see answer.h.
#include "answer.h"

#include <poll.h>
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

enum fetch_result answer_read(struct fetch *f, int silence_ms, char why[ANSWER_WHY])
{
    struct pollfd ready = {f->fd, POLLIN, 0};
    enum fetch_result result = FETCH_TIMEOUT;
    if (poll(&ready, 1, silence_ms) == 1)
        result = fetch_read(f);
    fetch_why(f, result, why);
    return result;
}
