// describe.h: a datagram in words: "SHORT 4  ACK 0-2, 5  STREAM 0 [1000, 2160)".
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include <stddef.h>
#include <stdint.h>

// Writes at most `room` bytes of text, with what of the datagram can be read.
void describe(const uint8_t *datagram, size_t length, char *text, size_t room);

#endif
