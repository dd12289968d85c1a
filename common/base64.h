// base64.h: any bytes as text: three bytes become four characters (RFC 4648 §4).
#ifndef BASE64_H
#define BASE64_H

#include <stddef.h>

// Characters that base64 makes of so many bytes, with the '\0' behind them.
#define BASE64_SIZE(bytes) (((bytes) + 2) / 3 * 4 + 1)

// Writes BASE64_SIZE(length) characters, the last of them '\0'.
void base64(const void *bytes, size_t length, char *text);

#endif
