// huffman.h: the Huffman code of the strings of HPACK (RFC 7541 §5.2 and Appendix B) and of
// QPACK.
#ifndef HUFFMAN_H
#define HUFFMAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Makes the tables, the first time: to be called before any other function here.
void huffman_begin(void);

// How many bytes `length` bytes of text take when encoded.
size_t huffman_size(const char *text, size_t length);

// Encodes the text to `out`, which has huffman_size() bytes; returns the byte after the last.
uint8_t *huffman_encode(uint8_t *out, const char *text, size_t length);

// Decodes `length` bytes to `text`, which takes at most `max`. Returns how many it became, or
// HUFFMAN_BAD if the code is not one (§5.2), or HUFFMAN_TOO_LONG if `max` is not enough. Text
// of n bytes never becomes longer than n * 8 / 5.
#define HUFFMAN_BAD      (-1)
#define HUFFMAN_TOO_LONG (-2)
ssize_t huffman_decode(const uint8_t *code, size_t length, char *text, size_t max);

#endif
