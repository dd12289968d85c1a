// uuid.h: random names (UUID version 4, RFC 9562 §5.4): 122 random bits, and no order.
#ifndef UUID_H
#define UUID_H

#include <stdbool.h>
#include <stdint.h>

#define UUID_BYTES  16
#define UUID_LENGTH 36 // of its text, without '\0'

// Fills in a new one. False if the kernel has no random bits.
bool uuid_new(uint8_t uuid[UUID_BYTES]);

// Writes "f81d4fae-7dec-41d0-a765-00a0c91e6bf6" and '\0'; returns text.
char *uuid_write(const uint8_t uuid[UUID_BYTES], char text[UUID_LENGTH + 1]);

#endif
