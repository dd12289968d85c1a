// text.c: see text.h.
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool coloured, on_terminal;
static int width = WIDTH_MAX;

static void look_at_terminal(void)
{
    struct winsize size;
    const char *variable = getenv("COLUMNS");
    int wide = 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        wide = size.ws_col;
    if (wide == 0 && variable)
        wide = atoi(variable);
    if (wide <= 0 || wide > WIDTH_MAX)
        wide = WIDTH_MAX;
    if (wide < WIDTH_MIN)
        wide = WIDTH_MIN;
    width = wide;
}

void text_begin(void)
{
    const char *term = getenv("TERM");
    on_terminal = isatty(STDOUT_FILENO);
    coloured = on_terminal && !getenv("NO_COLOR") && term && strcmp(term, "dumb");
    look_at_terminal();
    setvbuf(stdout, NULL, _IOLBF, LINE_BYTES); // a line is one write: lines never mix
}

int text_width(void)
{
    return width;
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

char *printable_line(char line[LINE_BYTES], const char *format, va_list arguments)
{
    vsnprintf(line, LINE_BYTES, format, arguments);
    make_printable(line);
    return line;
}

void shorten(char *text, int most)
{
    int column = 0;
    char *cut = text;
    if (columns(text) <= most)
        return;
    for (char *at = text; *at && column <= most - 3; at++) {
        if ((*at & 0xc0) != 0x80 && column++ == most - 3)
            break;
        cut = at + 1;
    }
    strcpy(cut, "...");
}

void repeat(const char *text, int times)
{
    while (times-- > 0)
        fputs(text, stdout);
}

void cell(const char *text, int cell_width, bool right)
{
    int padding = cell_width - columns(text);
    if (right)
        repeat(" ", padding);
    fputs(text, stdout);
    if (!right)
        repeat(" ", padding);
}

void wrap(const char *text, int indent)
{
    int column = 0;
    while (*text) {
        int length = (int)strcspn(text, " ");
        char word[LINE_BYTES];
        snprintf(word, sizeof word, "%.*s", length, text);
        text += length + (text[length] == ' ');
        if (column && column + 1 + columns(word) > width) {
            putchar('\n');
            column = 0;
        }
        int spaces = 1; // before the word
        if (column == 0)
            spaces = indent;
        printf("%*s%s", spaces, "", word);
        column += spaces + columns(word);
    }
    putchar('\n');
}

// Returns how many bytes of text, which is longer, go into a line of `room` columns.
static size_t line_of(const char *text, int room)
{
    size_t at = 0, best = 0;
    for (int column = 0; column < room; column++) {
        at++;
        while ((text[at] & 0xc0) == 0x80)
            at++;
        if (text[at] == ' ' || text[at - 1] == ',')
            best = at;
    }
    if (best)
        return best;
    return at; // one long word
}

void fold(const char *text, int column, int indent)
{
    int room = width - column;
    while (on_terminal && columns(text) > room) {
        size_t length = line_of(text, room);
        printf("%.*s\n%*s", (int)length, text, indent, "");
        text += length + (text[length] == ' ');
        room = width - indent;
    }
    printf("%s\n", text);
}
