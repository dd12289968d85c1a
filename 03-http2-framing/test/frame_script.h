// frame_script.h: frames as a line of text, for test.c and fuzz.c: TYPE.FLAGS.STREAM.PAYLOAD,
// where type is a name or a number, flags are hexadecimal, and the payload is pieces one behind
// the other:
//
//     00ff           bytes
//     100*61         a hundred times such a byte
//     {GET,te=gzip}  a header block of literals; GET and POST stand for a usual request's
//     fields #5000          no bytes, but the frame header says that there are so many
//
// "50xPING.0.0.0011223344556677" is fifty frames.
#ifndef FRAME_SCRIPT_H
#define FRAME_SCRIPT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_names.h"
#include "hpack.h"

#define SCRIPT_BYTES (4 << 20)

struct script {
    uint8_t bytes[SCRIPT_BYTES];
    size_t length;
};

static inline void script_bytes(struct script *script, const void *bytes, size_t length)
{
    if (length > SCRIPT_BYTES - script->length)
        abort(); // a test that is too long
    memcpy(script->bytes + script->length, bytes, length);
    script->length += length;
}

// A literal that is not indexed: bytes in the wire are bytes in the test.
static inline void script_field(struct script *script, const char *name, size_t name_length,
                                const char *value, size_t value_length)
{
    uint8_t bytes[2 * HPACK_INTEGER_BYTES] = {0};
    uint8_t *end = hpack_put_integer(bytes + 1, 0, 7, (uint32_t)name_length);
    script_bytes(script, bytes, (size_t)(end - bytes));
    script_bytes(script, name, name_length);
    end = hpack_put_integer(bytes, 0, 7, (uint32_t)value_length);
    script_bytes(script, bytes, (size_t)(end - bytes));
    script_bytes(script, value, value_length);
}

static inline void script_word(struct script *script, const char *word, size_t length)
{
    const char *equals = memchr(word, '=', length);
    bool get = length == 3 && !memcmp(word, "GET", 3);
    if (get || (length == 4 && !memcmp(word, "POST", 4))) {
        script_field(script, ":method", 7, word, length);
        script_field(script, ":scheme", 7, "http", 4);
        script_field(script, ":authority", 10, "a", 1);
        // A path of its own may follow.
        const char *path = get ? "/" : "/echo";
        if (strncmp(word + length, ",:path", 6))
            script_field(script, ":path", 5, path, strlen(path));
    } else if (equals) {
        script_field(script, word, (size_t)(equals - word), equals + 1,
                     (size_t)(word + length - equals - 1));
    }
}

// Writes a payload; returns where its text ends. *announced is the length for the frame header,
// where it is not the payload's.
static inline const char *script_payload(struct script *script, const char *text,
                                         long *announced)
{
    while (*text && *text != ' ') {
        char *end;
        if (*text == '{') {
            for (text++; *text != '}'; text += *text == ',') {
                size_t length = strcspn(text, ",}");
                script_word(script, text, length);
                text += length;
            }
            text++;
        } else if (*text == '#') {
            *announced = strtol(text + 1, &end, 10);
            text = end;
        } else {
            long count = strtol(text, &end, 10);
            text = *end == '*' && end > text ? end + 1 : text;
            count = *end == '*' ? count : 1;
            char digits[3] = {text[0], text[1], 0};
            uint8_t byte = (uint8_t)strtol(digits, NULL, 16);
            for (text += 2; count > 0; count--)
                script_bytes(script, &byte, 1);
        }
    }
    return text;
}

static inline uint8_t script_type(const char *name, size_t length)
{
    for (uint8_t type = FRAME_DATA; type <= FRAME_CONTINUATION; type++)
        if (strlen(frame_type_name(type)) == length &&
            !memcmp(frame_type_name(type), name, length))
            return type;
    return (uint8_t)atoi(name);
}

// Appends the frames that the text describes.
static inline void script_add(struct script *script, const char *text)
{
    while (*(text += strspn(text, " "))) {
        char *end;
        long count = strtol(text, &end, 10), announced = -1;
        text = *end == 'x' ? end + 1 : text;
        count = *end == 'x' ? count : 1;
        size_t start = script->length;
        uint8_t header[FRAME_HEADER_BYTES] = {0}, type = script_type(text, strcspn(text, "."));
        uint8_t flags = (uint8_t)strtoul(text + strcspn(text, ".") + 1, &end, 16);
        uint32_t stream = (uint32_t)strtoul(end + 1, &end, 10);
        script_bytes(script, header, sizeof header);
        text = script_payload(script, end + 1, &announced);
        size_t size = script->length - start;
        frame_put_header(script->bytes + start,
                         announced >= 0 ? (uint32_t)announced
                                        : (uint32_t)(size - sizeof header),
                         type, flags, stream);
        for (; count > 1; count--)
            script_bytes(script, script->bytes + start, size);
    }
}

// The client's preface and SETTINGS, and then the frames.
static inline void script_begin(struct script *script, const char *text)
{
    script->length = 0;
    script_bytes(script, PREFACE, PREFACE_BYTES);
    script_add(script, "SETTINGS.0.0. SETTINGS.1.0.");
    script_add(script, text);
}

#endif
