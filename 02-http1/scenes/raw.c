// raw.c: scene raw: one request and its response, byte by byte.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "scenes.h"
#include "story.h"
#include "text.h"

#define LINE_TEXT 42 // columns of a line of a message; with its note it fits 80 columns

static const struct claim structure = {
    "2.12", "guide §3.1", "a message is a line, headers as key-value pairs, and a body", HOLDS,
    NULL};

// What a line of a head is: the beginning of the line tells it.
static const char *note_on(const char *line)
{
    static const struct {
        const char *begins, *note;
    } notes[] = {
        {"GET ", "method, target, version"},           {"HTTP/1.1 ", "version, status, reason"},
        {"Host:", "the site: it must be there"},       {"User-Agent:", "the client's name"},
        {"Accept:", "what the client can use"},        {"Server:", "the server's name"},
        {"Date:", "when the answer was made"},         {"Content-Type:", "what the content is"},
        {"Content-Length:", "where the content ends"}, {"Connection:", "whether it stays open"},
        {"\r\n", "an empty line: the head ends"}};
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        if (!strncmp(line, notes[i].begins, strlen(notes[i].begins)))
            return notes[i].note;
    return "a header field";
}

// Appends a byte to text, a line end as the two characters that C writes for it.
static void append_visible(char *text, char byte)
{
    if (byte == '\r')
        strcat(text, "\\r");
    else if (byte == '\n')
        strcat(text, "\\n");
    else
        strncat(text, &byte, 1);
}

// Prints a message line by line: the offset of the line, its bytes, and what the line is.
static void show_message(const char *message)
{
    bool content = false;
    for (const char *line = message; *line;) {
        char text[LINE_BYTES] = "";
        const char *end = strchrnul(line, '\n'), *note = "content: just bytes";
        if (*end)
            end++;
        for (const char *at = line; at < end && at < line + sizeof text / 2 - 1; at++)
            append_visible(text, *at);
        if (!content)
            note = note_on(line);
        printf("  %s%4zu%s  ", paint(DIM), (size_t)(line - message), paint(PLAIN));
        cell(text, LINE_TEXT, false);
        printf(" %s%s%s\n", paint(CYAN), note, paint(PLAIN));
        content = content || *line == '\r';
        line = end;
    }
}

static void show_hex(const char *bytes, size_t length)
{
    printf("       %s", paint(DIM));
    for (size_t i = 0; i < length; i++)
        printf(" %02x", (uint8_t)bytes[i]);
    printf("%s\n", paint(PLAIN));
}

void scene_raw(void)
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: workbench\r\nUser-Agent: lesson-02\r\n"
        "Accept: text/plain\r\n\r\n";
    char message[FETCH_BYTES];
    struct fetch f;
    ask_open(&f);
    ask(&f, request);
    story_say("%sthe request%s, %zu bytes; the first line in hexadecimal as well", paint(BOLD),
              paint(PLAIN), sizeof request - 1);
    show_hex(request, strcspn(request, "\n") + 1);
    show_message(request);
    story_say("");
    story_say("%sthe response%s, %zu bytes", paint(BOLD), paint(PLAIN), (size_t)f.wire_bytes);
    snprintf(message, sizeof message, "%.*s%.*s", (int)f.head.length, f.bytes,
             (int)f.content.length, f.content.at);
    show_message(message);
    // Where there is no Content-Length, content_length is -1, and equals no number of bytes.
    bool whole = f.head.content_length == (int64_t)f.content_bytes && !f.rest.length &&
                 f.wire_bytes == f.head.length + f.content_bytes;
    claim_report(
        &structure, holds_if(whole && f.head.status == 200),
        "%zu bytes of head and %zu of content, as Content-Length says, and no byte more",
        f.head.length, (size_t)f.content_bytes);
    fetch_close(&f);
}
