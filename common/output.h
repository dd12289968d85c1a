// output.h: what a client prints. A client whose output could not be written has failed, and
// what a peer sent must not command the user's terminal.
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stddef.h>

// Ignores SIGPIPE: a closed connection or pipe is then an error that the program can report.
// Call it first.
void output_begin(void);

// Writes out what was printed so far. Prints the reason and exits 1 if that is not possible (a
// full disk, a closed pipe). Call it after each thing that the user waits for, and at the end.
void output_flush(void);

// Prints a peer's bytes: as they are into a file or a pipe; on a terminal a dot takes the place
// of each byte that could command it (control characters except tab and the ends of lines).
void output_bytes(const void *bytes, size_t length);

// The same in quotes on one line, wherever it goes: "hello\n", "\x1b[31m".
void output_quoted(const void *bytes, size_t length);

#endif
