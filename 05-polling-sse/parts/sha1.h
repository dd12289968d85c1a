// sha1.h: what a WebSocket handshake needs of cryptography: SHA-1 (RFC 3174) and base64 (RFC
// 4648 §4). There the digest is no secret and no signature: it only proves that the server has
// understood the question.
#ifndef SHA1_H
#define SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_BYTES 20

// Characters that base64 makes of so many bytes, with the '\0' behind them.
#define BASE64_SIZE(bytes) (((bytes) + 2) / 3 * 4 + 1)

void sha1(const void *bytes, size_t length, uint8_t digest[SHA1_BYTES]);

// Writes BASE64_SIZE(length) characters, the last of them '\0'.
void base64(const void *bytes, size_t length, char *text);

#endif
