// naive.h: two HTTP/1.1 readers that are WRONG, as many in use have been: each takes from a
// head what it knows and skips what it does not. For scene `smuggle`, and for nothing else.
#ifndef NAIVE_H
#define NAIVE_H

#include <stddef.h>

#define NAIVE_REQUESTS 8

enum naive_rule {
    BY_LENGTH, // believes Content-Length, does not know of chunks
    BY_CHUNKS, // believes Transfer-Encoding if there is any, else Content-Length
};

// Finds the requests in a '\0'-terminated text: sets starts[i] to where each begins. Returns
// how many.
int naive_read(const char *text, enum naive_rule rule, size_t starts[NAIVE_REQUESTS]);

#endif
