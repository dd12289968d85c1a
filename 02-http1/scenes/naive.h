// naive.h: two HTTP/1.1 readers that are WRONG. Each reads the fields that it knows and skips
// all others, as many real programs have done. Only scene smuggle uses them.
#ifndef NAIVE_H
#define NAIVE_H

#include <stddef.h>

#define NAIVE_REQUESTS 8

enum naive_rule {
    BY_LENGTH, // the reader believes Content-Length, and knows nothing of chunks
    BY_CHUNKS, // the reader believes Transfer-Encoding if there is one, else Content-Length
};

// Finds the requests in a '\0'-terminated text: sets starts[i] to where each begins. Returns
// how many.
int naive_read(const char *text, enum naive_rule rule, size_t starts[NAIVE_REQUESTS]);

#endif
