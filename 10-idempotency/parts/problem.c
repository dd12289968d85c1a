// problem.c: see problem.h.
#include "problem.h"

#include <string.h>

#define PROBLEM_BYTES 1024

void problem(struct connection *c, int status, const char *fields, const char *field,
             const char *detail)
{
    char text[PROBLEM_BYTES];
    struct http_out out = {text, sizeof text, 0, false};
    // Without a type of its own a problem means what its status means, and has that title
    // (RFC 9457 §4.2.1).
    http_put_text(&out, "{\"type\":\"about:blank\",\"title\":\"");
    http_put_text(&out, http_reason(status));
    http_put_text(&out, "\",\"status\":");
    http_put_number(&out, (uint64_t)status, 10);
    http_put_text(&out, ",\"detail\":");
    json_put(&out, (struct http_text){detail, strlen(detail)});
    if (field) {
        http_put_text(&out, ",\"field\":\"");
        http_put_text(&out, field);
        http_put_text(&out, "\"");
    }
    http_put_text(&out, "}\n");
    connection_answer(c, status, fields, (struct http_text){text, out.length});
}
