// print_head.h: a head as the client shows it.
#ifndef PRINT_HEAD_H
#define PRINT_HEAD_H

#include <stddef.h>

// Prints the head of an answer on stderr, "< " in front of each line. A control character could
// command the terminal: a dot takes its place.
void print_head(const char *bytes, size_t length);

#endif
