// crc32.h: the checksum CRC-32 of ISO 3309, which STUN's FINGERPRINT uses (as do gzip and PNG).
#ifndef CRC32_H
#define CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32(const void *bytes, size_t length);

#endif
