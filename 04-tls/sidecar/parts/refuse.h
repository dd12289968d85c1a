// refuse.h: which requests the sidecar answers itself, before any try.
#ifndef REFUSE_H
#define REFUSE_H

#include "sidecar.h"

struct refusal {
    int status;
    const char *why; // half a sentence
    char fields[80]; // lines that end with CRLF, or ""
};

// True if the request is refused.
bool refuse(const struct downstream *d, const struct http_head *head, int64_t now_ns,
            struct refusal *refusal);

#endif
