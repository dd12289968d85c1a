// fuzz.c: hostile bytes for what the balancer itself reads of a request: its group, its cookie;
// and for what it writes. Made by clang's libFuzzer.
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. A head that was rewritten has to be a good one, with the same length of
//         content; else its bytes are kept as build/crash-...
#include <stdio.h>
#include <stdlib.h>

#include "layer7.h"

#define ADDED_FIELDS 10 // the balancer adds fewer

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int64_t leg_now(void)
{
    return 0; // backends.c asks for it; no loop runs here
}

static _Noreturn void fault(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct forward_proxy proxy = {"fuzz", false};
    static char written[FORWARD_HEAD_BYTES];
    struct http_head head, again;
    struct http_text path, query;
    if (backend_count == 0) {
        backends_add("127.0.0.1:1");
        backends_begin_group("a/x");
        backends_add("127.0.0.1:2");
    }
    if (http_read_request((const char *)data, size, &head) <= 0)
        return 0;
    if (head.field_count > HTTP_FIELDS - ADDED_FIELDS)
        return 0; // our own reader would not take the new head: it has too many fields
    http_split_target(head.target, &path, &query);
    backends_find_group(head.host, path);
    struct backend *bound = sticky_find(&head);
    if (bound && (bound < backends || bound >= backends + backend_count))
        fault("a cookie names what is no backend");
    if (forward_refuses(&head))
        return 0;
    struct forward forward = {.by = &proxy, .client = "192.0.2.1"};
    struct http_out out = {written, sizeof written, 0, false};
    forward_request_head(&forward, &head, &out);
    if (out.overflow)
        fault("no room for the new head");
    if (http_read_request(written, out.length, &again) != 1 || again.length != out.length)
        fault("the new head is no good");
    if (again.content_length != head.content_length || again.chunked != head.chunked)
        fault("the new head says something else about the content");
    return 0;
}
