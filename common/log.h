// log.h: what a server says about its work. Alone in its terminal, a server prints a line with
// the time since its start, on a terminal folded where it is too long; beside a scene, the line
// stands on the server's side of the timeline.
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

// Makes stdout line by line. A quiet server says nothing, unless a scene opens its timeline.
void log_begin(bool quiet);

// One thing that this server did or saw, at this moment. A peer's bytes may be in the text:
// they are made printable. Equal lines in a row are printed once, and counted: the count stands
// above the next line. When no program reads stdout, the line is left out: the server does not
// wait.
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Prints the count that has no next line. A server calls it before its summary, a child of a
// server before _exit().
void log_end(void);

#endif
