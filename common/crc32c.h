// crc32c.h: the checksum CRC-32C (Castagnoli's polynomial, as in iSCSI: RFC 3720 §12.1).
#ifndef CRC32C_H
#define CRC32C_H

#include <stddef.h>
#include <stdint.h>

// The checksum of bytes that follow those of which `crc` is the checksum; begin with 0.
uint32_t crc32c(uint32_t crc, const void *bytes, size_t length);

#endif
