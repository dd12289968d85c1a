// text.h: text in columns and colours, for whatever prints a scene: timeline, story, claim.
#ifndef TEXT_H
#define TEXT_H

#include <stdarg.h>
#include <stdbool.h>

#define WIDTH_MIN  80   // columns that the output needs,
#define WIDTH_MAX  100  // and the most that it uses
#define LINE_BYTES 1024 // that a line may take, colours and all

#define PLAIN   "0"
#define BOLD    "1"
#define DIM     "2"
#define RED     "31"
#define GREEN   "32"
#define YELLOW  "33"
#define MAGENTA "35"
#define CYAN    "36"

// Makes stdout line by line, and decides about colour: none where NO_COLOR is set, TERM is
// "dumb", or stdout is no terminal. Looks how wide the terminal is.
void text_begin(void);

// Columns that a line may have, from WIDTH_MIN to WIDTH_MAX: as many as the terminal has
// (TIOCGWINSZ), or as $COLUMNS says; WIDTH_MAX where neither is known.
int text_width(void);

// Starts a colour, or with PLAIN ends it: for a "%s". Nothing where colour is not wanted.
const char *paint(const char *colour);

// Columns that UTF-8 text takes.
int columns(const char *text);

// Puts a dot for whatever could command a terminal: a peer's bytes may be in the text.
void make_printable(char *text);

// Writes what vprintf(3) would print, as far as a line has room, and makes it printable.
// Returns line.
char *printable_line(char line[LINE_BYTES], const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

// Cuts UTF-8 text that takes more than `width` columns: its last columns become "...".
void shorten(char *text, int width);

// Prints text so many times.
void repeat(const char *text, int times);

// Prints text in a cell of `width` columns; to the right where `right`.
void cell(const char *text, int width, bool right);

// Prints text behind a margin of `indent` columns, broken between words where the line is full.
void wrap(const char *text, int indent);

// Prints text behind the `column` columns that its line has already. On a terminal, what is too
// long for the line is broken at a blank or behind a comma, and goes on behind `indent`
// columns; in a file or a pipe it stays one line, which is what grep reads.
void fold(const char *text, int column, int indent);

#endif
