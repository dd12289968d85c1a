// request_head.c: the head of a request as the upstream gets it; see sidecar.h.
#include "sidecar.h"

#include <string.h>

static const struct forward_proxy by_tls = {"workbench", true}, by_plain = {"workbench", false};

void request_head_remove(struct http_head *head, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < head->field_count; i++)
        if (!http_is_token(head->fields[i].name, name))
            head->fields[kept++] = head->fields[i];
    head->field_count = kept;
}

// An app may send the whole URI, as to a proxy ("http_proxy"); the next hop gets the path
// (RFC 9112 §3.2.1).
static void use_origin_form(struct http_head *head)
{
    const char *end = head->target.at + head->target.length;
    const char *scheme = memmem(head->target.at, head->target.length, "://", 3);
    if (head->target.at[0] == '/' || !scheme)
        return;
    const char *path = memchr(scheme + 3, '/', (size_t)(end - scheme - 3));
    head->target = (struct http_text){"/", 1};
    if (path)
        head->target = (struct http_text){path, (size_t)(end - path)};
}

bool request_head_write(struct downstream *d, struct http_head *head)
{
    static char bytes[FORWARD_HEAD_BYTES + 2 * TRACE_STATE_BYTES];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    struct forward forward = {.by = &by_plain, .client = d->address};
    if (d->inbound)
        forward.by = &by_tls;
    head->keep_alive = true;                  // that is between this sidecar and the next one
    request_head_remove(head, "traceparent"); // the sidecar writes these itself
    request_head_remove(head, "tracestate");
    request_head_remove(head, HOP_FAILED);
    use_origin_form(head);
    forward_request_head(&forward, head, &out);
    out.length -= 2; // in front of the empty line
    trace_put(&d->trace, &out);
    if (d->inbound) {
        http_put_text(&out, "X-Forwarded-Client-Cert: URI=");
        http_put_text(&out, d->link.peer);
        http_put_text(&out, "\r\n");
    }
    http_put_text(&out, "\r\n");
    return !out.overflow && buffer_put(&d->request, bytes, out.length);
}
