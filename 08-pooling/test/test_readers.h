// test_readers.h: tests of what reads the protocol's bytes, whatever they are.
#ifndef TEST_READERS_H
#define TEST_READERS_H

#include "db.h"
#include "test_frames.h"
#include "test_talk.h"

// Good bytes of both sides, of which each test changes some.
static size_t good_bytes(struct bytes *b)
{
    b->length = 0;
    put_frame(b, 'L', 0, "app", "workbench", NULL);
    put_frame(b, 'D', 1, "7", "Ada", "", NULL);
    put_frame(b, 'C', 1, "1", NULL);
    put_frame(b, 'E', 2, "42601", "syntax error", NULL);
    put_frame(b, 'C', 3, "0", NULL);
    put_frame(b, 'X', 0, NULL);
    return b->length;
}

static void check_all(const char *bytes, size_t length)
{
    const char *fault = frames_fault(bytes, length);
    if (!fault)
        fault = client_fault(bytes, length);
    if (!fault)
        fault = query_fault(bytes, length);
    if (fault)
        FAIL("%s", fault);
}

TEST(readers_keep_their_rules)
{
    struct bytes b;
    uint64_t random = 3;
    size_t length = good_bytes(&b);
    for (size_t end = 0; end <= length; end++)
        check_all(b.at, end);
    for (size_t at = 0; at < length; at++)
        for (int bit = 0; bit < 8; bit++) {
            b.at[at] ^= (char)(1 << bit);
            check_all(b.at, length);
            b.at[at] ^= (char)(1 << bit);
        }
    for (int i = 0; i < 20000 && !test_failures; i++) {
        good_bytes(&b);
        for (unsigned long n = next_random(&random) % 6; n; n--)
            b.at[next_random(&random) % length] = (char)next_random(&random);
        check_all(b.at + next_random(&random) % 20, length - 20);
    }
}

TEST(frames_that_are_too_long_are_not_written)
{
    static char text[FRAME_MAX_BYTES + 1], room[2 * FRAME_MAX_BYTES];
    const char *const fields[FIELDS_MAX + 1] = {text, "", "", "", "", "", "", "", ""};
    memset(text, 'x', FRAME_MAX_BYTES - 7);
    CHECK_INT((long)frame_write(room, sizeof room, QUERY, 1, fields, 1), FRAME_MAX_BYTES + 4);
    text[FRAME_MAX_BYTES - 7] = 'x';
    CHECK_INT((long)frame_write(room, sizeof room, QUERY, 1, fields, 1), 0);
    CHECK_INT((long)frame_write(room, sizeof room, QUERY, 1, fields + 1, FIELDS_MAX), 25);
    CHECK_INT((long)frame_write(room, sizeof room, QUERY, 1, fields + 1, FIELDS_MAX + 1), 0);
    for (size_t size = 0; size < 25; size++) {
        char *exact = malloc(size + 1);
        CHECK_INT((long)frame_write(exact, size, QUERY, 1, fields + 1, FIELDS_MAX), 0);
        free(exact);
    }
}

#endif
