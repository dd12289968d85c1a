// cookie.c: a cookie binds a client to a backend (session affinity). It holds the backend's id,
// which is made of the backend's name: so any other balancer with the same backends knows what
// it means, and there is nothing to share between them.
#include "layer7.h"

#define COOKIE "balancer"

struct backend *sticky_find(const struct http_head *head)
{
    for (size_t i = 0; i < head->field_count; i++) {
        struct http_text rest = head->fields[i].value;
        if (!http_is_token(head->fields[i].name, "cookie"))
            continue;
        while (rest.length > 0) { // "a=1; balancer=0123abcd" (RFC 6265 §4.2.1)
            const char *end = memchr(rest.at, ';', rest.length);
            if (!end)
                end = rest.at + rest.length;
            struct http_text pair = http_trim(rest.at, end);
            size_t name = strlen(COOKIE "=");
            if (pair.length > name && !memcmp(pair.at, COOKIE "=", name))
                return backends_find((struct http_text){pair.at + name, pair.length - name});
            size_t used = (size_t)(end - rest.at) + (end < rest.at + rest.length);
            rest.at += used;
            rest.length -= used;
        }
    }
    return NULL;
}

void sticky_put(struct http_out *out, const struct backend *backend)
{
    http_put_text(out, "Set-Cookie: " COOKIE "=");
    http_put_text(out, backend->id);
    http_put_text(out, "; Path=/; HttpOnly; SameSite=Lax\r\n");
}
