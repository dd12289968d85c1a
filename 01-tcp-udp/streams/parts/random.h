// random.h: random numbers that nobody guesses: for ids, challenges and keys.
#ifndef RANDOM_H
#define RANDOM_H

#include <stddef.h>
#include <stdint.h>

// Dies where the kernel has none.
void random_bytes(uint8_t *bytes, size_t length);

#endif
