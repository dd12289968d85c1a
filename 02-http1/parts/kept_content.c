// kept_content.c: see kept_content.h. Read kept_add() first.
#include "kept_content.h"

#include <stdlib.h>

#define STEP_BYTES 4096

static size_t kept_bytes; // of all connections
static struct kept_content *all_kept;

static void forget(struct kept_content *kept)
{
    if (!kept->size)
        return;
    if (kept->next)
        kept->next->previous = kept->previous;
    if (kept->previous)
        kept->previous->next = kept->next;
    else
        all_kept = kept->next;
    kept_bytes -= kept->size;
    free(kept->bytes);
    kept->bytes = NULL;
    kept->length = kept->size = 0;
}

void kept_free(struct kept_content *kept)
{
    forget(kept);
    *kept = (struct kept_content){0};
}

// Takes the content of the slowest connection away, and wakes that connection. False: the
// content of all other connections is younger than KEPT_GRACE_MS.
static bool take_from_slowest(const struct kept_content *newcomer, int64_t now_ns)
{
    struct kept_content *slowest = NULL;
    double slowest_rate = 0;
    for (struct kept_content *kept = all_kept; kept; kept = kept->next) {
        int64_t age_ms = (now_ns - kept->from_ns) / 1000000;
        double rate = (double)kept->moved / (double)(age_ms + 1);
        if (kept != newcomer && age_ms > KEPT_GRACE_MS && (!slowest || rate < slowest_rate)) {
            slowest = kept;
            slowest_rate = rate;
        }
    }
    if (!slowest)
        return false;
    forget(slowest);
    slowest->lost = true;
    conn_wake(slowest->conn);
    return true;
}

bool kept_add(struct kept_content *kept, struct conn *conn, struct http_text content)
{
    size_t needed = kept->length + content.length, size = kept->size;
    if (kept->lost)
        return false;
    if (!size)
        size = STEP_BYTES;
    while (size < needed)
        size *= 2;
    if (size > kept->size) {
        while (kept_bytes - kept->size + size > KEPT_MAX_BYTES)
            if (!take_from_slowest(kept, conn_now(conn)))
                return false;
        char *bytes = realloc(kept->bytes, size);
        if (!bytes)
            return false;
        if (!kept->size) {
            kept->from_ns = conn_now(conn);
            kept->conn = conn;
            kept->previous = NULL;
            kept->next = all_kept;
            if (all_kept)
                all_kept->previous = kept;
            all_kept = kept;
        }
        kept_bytes += size - kept->size;
        kept->bytes = bytes;
        kept->size = size;
    }
    memcpy(kept->bytes + kept->length, content.at, content.length);
    kept->length = needed;
    kept->moved += content.length;
    return true;
}
