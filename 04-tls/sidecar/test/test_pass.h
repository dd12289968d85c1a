// test_pass.h: content on its way: whatever the two ends speak, and wherever it is cut, the
// same content arrives.
#ifndef TEST_PASS_H
#define TEST_PASS_H

#include "buffer.h"

#define CHUNKED "3\r\nabc\r\n5;x=1\r\ndefgh\r\n0\r\nX-Trailer: 1\r\n\r\n"

// Passes the bytes in parts of `step`.
static const char *passed(struct http_body body, const char *bytes, size_t step,
                          enum chunks chunks, bool *done)
{
    static char text[300];
    struct buffer out = {0};
    size_t length = strlen(bytes), at = 0, here = 0;
    uint64_t count = 0;
    while (!body.done && here < length) {
        here = here + step < length ? here + step : length;
        ssize_t used = pass_content(&body, bytes + at, here - at, chunks, &out, &count);
        if (used < 0)
            break;
        at += (size_t)used;
    }
    *done = body.done;
    snprintf(text, sizeof text, "%.*s", (int)buffer_left(&out), out.bytes ? out.bytes : "");
    buffer_free(&out);
    return text;
}

TEST(content_passes_in_any_parts)
{
    struct http_body chunked = {.state = BODY_SIZE_LINE},
                     sized = {.state = BODY_LENGTH, .left = 8},
                     to_close = {.state = BODY_TO_CLOSE, .left = UINT64_MAX};
    bool done;
    for (size_t step = 1; step < sizeof CHUNKED; step++) {
        const char *text = passed(chunked, CHUNKED, step, CHUNKS_AS_THEY_ARE, &done);
        CHECK_TEXT(text, "3\r\nabc\r\n5;x=1\r\ndefgh\r\n0\r\n\r\n"); // the trailer is dropped
        CHECK(done);
        CHECK_TEXT(passed(chunked, CHUNKED, step, CHUNKS_OFF, &done), "abcdefgh");
        CHECK(done);
        CHECK_TEXT(passed(sized, "abcdefghGET", step, CHUNKS_AS_THEY_ARE, &done), "abcdefgh");
        CHECK(done);
    }
    CHECK_TEXT(passed(to_close, "abcdefgh", 8, CHUNKS_ON, &done), "8\r\nabcdefgh\r\n");
    CHECK_TEXT(passed(to_close, "abcdefgh", 3, CHUNKS_ON, &done),
               "3\r\nabc\r\n3\r\ndef\r\n2\r\ngh\r\n");
    CHECK(!done);
    passed(chunked, "3\r\nabcX\r\n", 3, CHUNKS_AS_THEY_ARE, &done);
    CHECK(!done);
}

TEST(buffers)
{
    struct buffer b = {0};
    char part[3000];
    memset(part, 'x', sizeof part);
    for (int i = 0; i < 10; i++)
        CHECK(buffer_put(&b, part, sizeof part));
    CHECK_INT((long)buffer_left(&b), 30000);
    b.at = 20000;
    buffer_compact(&b);
    CHECK_INT((long)b.at, 0);
    CHECK_INT((long)buffer_left(&b), 10000);
    buffer_clear(&b);
    CHECK_INT((long)b.size, 0); // so much memory is not kept
    CHECK(buffer_put(&b, "a", 1));
    buffer_clear(&b);
    CHECK_AT_LEAST(b.size, 1);
    buffer_free(&b);
}

#endif
