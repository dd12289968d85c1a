// test_frames.h: the rules that reading frames keeps, whatever the bytes are, and a table of
// frames that are wrong. Shared by test.c and fuzz.c.
#ifndef TEST_FRAMES_H
#define TEST_FRAMES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "websocket.h"

#define SEEN_BYTES  65536
#define MESSAGE_TOP 4096 // the longest message in these tests

// Reads all of the bytes, as pieces that end at `cut` and at the end (or after each byte, if
// cut is EACH_BYTE), and writes down what is found: for each thing its opcode, its length and a
// checksum; at last the code that the connection is closed with, or how much was left over.
#define EACH_BYTE SIZE_MAX

static void write_down(const struct ws_message *got, char *seen)
{
    unsigned sum = 0;
    size_t length = strlen(seen);
    for (size_t i = 0; i < got->length; i++)
        sum = sum * 31 + (uint8_t)got->bytes[i];
    int code = 0;
    if (got->opcode == WS_CLOSE)
        code = got->code;
    if (length + 100 < SEEN_BYTES)
        snprintf(seen + length, SEEN_BYTES - length, "%d:%zu:%x:%d ", got->opcode, got->length,
                 sum, code);
}

static void read_frames(const char *bytes, size_t length, size_t cut, bool from_client,
                        char *seen)
{
    struct websocket ws;
    struct ws_message got = {.code = 0};
    size_t used = 0, end = cut;
    ssize_t part = 0;
    if (cut == EACH_BYTE)
        end = 1;
    *seen = '\0';
    websocket_begin(&ws, from_client, MESSAGE_TOP);
    while (end <= length && part >= 0) {
        // A copy of its own, so that a sanitizer sees any read beyond it.
        char *copy = malloc(end - used + 1);
        memcpy(copy, bytes + used, end - used);
        part = websocket_read(&ws, copy, end - used, &got);
        if (got.opcode >= 0 && part >= 0)
            write_down(&got, seen);
        free(copy);
        if (part > 0) {
            used += (size_t)part;
            continue;
        }
        if (part == 0 && end == length)
            break;
        if (cut == EACH_BYTE)
            end++;
        else
            end = length;
    }
    if (part < 0)
        snprintf(seen + strlen(seen), 40, "closed %zd", -part);
    else
        snprintf(seen + strlen(seen), 40, "left %zu", length - used);
    websocket_end(&ws);
}

// What is wrong with the way these bytes are read; NULL: nothing.
static const char *frames_fault(const char *bytes, size_t length, size_t cut)
{
    static char whole[SEEN_BYTES + 100], parts[SEEN_BYTES + 100], fault[300];
    for (int from_client = 0; from_client < 2; from_client++) {
        read_frames(bytes, length, length, from_client, whole);
        read_frames(bytes, length, cut, from_client, parts);
        if (strcmp(whole, parts)) {
            snprintf(fault, sizeof fault, "read at once: %.100s, in parts: %.100s", whole,
                     parts);
            return fault;
        }
    }
    return NULL;
}

// ---- frames that are wrong -----------------------------------------------------------------

// In hexadecimal; 'm' stands for a mask of four zeros.
struct bad_frame {
    int code;
    const char *hex;
};

// clang-format off
static const struct bad_frame bad_frames[] = {
    // control frames: whole, and short
    {1002, "08 80 m"}, {1002, "09 80 m"}, {1002, "0a 80 m"}, {1002, "88 fe 007e m"},
    {1002, "89 fe 007e m"}, {1002, "8a fe 007e m"}, {1002, "88 ff 0000000000000080 m"},
    {1002, "89 ff 0000000000000080 m"}, {1002, "8a ff 0000000000000080 m"}, {1002, "89 fe 0001 m"},
    // nothing to continue, and two messages mixed
    {1002, "80 80 m"}, {1002, "00 80 m"}, {1002, "80 81 m 61"}, {1002, "81 80 m 80 80 m"},
    {1002, "01 80 m 81 80 m"}, {1002, "01 80 m 01 80 m"}, {1002, "01 80 m 82 80 m"},
    {1002, "02 80 m 81 80 m"}, {1002, "02 80 m 02 80 m"}, {1002, "01 80 m 00 80 m 81 80 m"},
    {1002, "01 80 m 89 80 m 81 80 m"}, {1002, "01 80 m 80 80 m 80 80 m"},
    // lengths that could be shorter, or are not a length
    {1002, "81 fe 0000 m"}, {1002, "81 fe 007d m"}, {1002, "82 fe 0001 m"},
    {1002, "81 ff 0000000000000000 m"}, {1002, "81 ff 000000000000007d m"},
    {1002, "81 ff 000000000000007e m"}, {1002, "82 ff 000000000000ffff m"},
    {1002, "01 80 m 80 fe 007d m"}, {1002, "01 80 m 80 ff 000000000000ffff m"},
    {1002, "81 ff 8000000000000000 m"}, {1002, "82 ff ffffffffffffffff m"},
    // too long
    {1009, "81 ff 0000000000100001 m"}, {1009, "01 ff 0000000000100001 m"},
    {1009, "82 ff 0000000000100001 m"}, {1009, "81 ff 0000000100000000 m"},
    {1009, "81 ff 7fffffffffffffff m"}, {1009, "01 81 m 61 80 ff 0000000000100000 m"},
    {1009, "01 81 m 61 80 ff 7fffffffffffffff m"}, {1009, "01 81 m 61 00 ff 00000000ffffffff m"},
    // not text
    {1003, "82 80 m"}, {1003, "82 81 m 00"}, {1003, "02 81 m 00 80 80 m"},
    // close frames
    {1002, "88 81 m 03"}, {1007, "88 83 m 03e8 ff"}, {1007, "88 84 m 03e8 c3 28"},
    {1007, "88 83 m 03e8 c3"}, {1007, "88 85 m 03e8 ed a0 80"},
};

// Bytes that are no UTF-8.
static const char *const bad_texts[] = {
    "80", "bf", "c0", "c1", "f5", "f6", "f7", "f8", "fb", "fc", "fd", "fe", "ff", "61 80", "61 ff",
    "c0 80", "c0 af", "c1 bf", "c2 00", "c2 20", "c2 7f", "c2 c2", "c2 c0", "df ff", "e0 80 80",
    "e0 80 af", "e0 9f bf", "e1 28 a1", "e1 80 28", "e1 80 c0", "e2 82 20", "ed a0 80", "ed ad bf",
    "ed b0 80", "ed bf bf", "ef bf 00", "ef ff bf", "f0 80 80 80", "f0 80 80 af", "f0 8f bf bf",
    "f0 28 8c bc", "f0 90 28 bc", "f0 90 80 28", "f1 80 80 c0", "f4 90 80 80", "f4 bf bf bf",
    "f8 88 80 80 80", "fc 84 80 80 80 80", "c3 a9 80", "e2 82 ac 80", "f0 9f 98 80 80",
    "ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80",
};

// Texts that end within a character.
static const char *const cut_texts[] = {"c2", "df", "e0", "e0 a0", "e2 82", "ed 9f", "ef bf", "f0", "f0 90",
                                        "f0 9f 98", "f4 8f bf", "61 c3", "c3 a9 c3"};

static const int bad_codes[] = {0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999,
                                5000, 5001, 32768, 65535};
static const int good_codes[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
                                 3000, 3999, 4000, 4999};
// clang-format on

#define COUNT(table) (sizeof(table) / sizeof *(table))

static inline size_t from_hex(const char *hex, char *bytes)
{
    size_t length = 0;
    unsigned byte;
    for (; *hex; hex += *hex == ' ') {
        if (*hex == 'm') {
            memset(bytes + length, 0, 4);
            length += 4;
            hex++;
        } else if (*hex != ' ' && sscanf(hex, "%2x", &byte) == 1) {
            bytes[length++] = (char)byte;
            hex += 2;
        }
    }
    return length;
}

#endif
