// text.c: see text.h.
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool coloured;

void text_begin(void)
{
    const char *term = getenv("TERM");
    coloured = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && term && strcmp(term, "dumb");
    setvbuf(stdout, NULL, _IOLBF, LINE_BYTES); // a line is one write: lines never mix
}

const char *paint(const char *colour)
{
    static char escape[8][8];
    static unsigned next;
    char *text = escape[next++ % 8];
    if (!coloured)
        return "";
    snprintf(text, sizeof escape[0], "\033[%sm", colour);
    return text;
}

int columns(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += (*text & 0xc0) != 0x80; // bytes 10xxxxxx continue a character
    return count;
}

void make_printable(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++)
        if (*c < ' ' || *c == 127 || (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0))
            *c = '.';
}

void repeat(const char *text, int times)
{
    while (times-- > 0)
        fputs(text, stdout);
}

void cell(const char *text, int width, bool right)
{
    int padding = width - columns(text);
    repeat(" ", right ? padding : 0);
    fputs(text, stdout);
    repeat(" ", right ? 0 : padding);
}

void wrap(const char *text, int indent)
{
    int column = 0;
    while (*text) {
        int length = (int)strcspn(text, " ");
        char word[LINE_BYTES];
        snprintf(word, sizeof word, "%.*s", length, text);
        text += length + (text[length] == ' ');
        if (column && column + 1 + columns(word) > WIDTH) {
            putchar('\n');
            column = 0;
        }
        printf("%*s%s", column ? 1 : indent, "", word);
        column += (column ? 1 : indent) + columns(word);
    }
    putchar('\n');
}
