// base64url.h: any bytes as text that may stand in a URL, a cookie or a token (RFC 4648 §5,
// without padding, as RFC 7515 §2 wants it).
#ifndef BASE64URL_H
#define BASE64URL_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"

// Characters that base64url makes of so many bytes, with the '\0' behind them.
#define BASE64URL_SIZE(bytes) (((bytes)*4 + 2) / 3 + 1)

// Writes at most BASE64URL_SIZE(length) characters, the last of them '\0'. Returns their number
// without it.
size_t base64url_write(const void *bytes, size_t length, char *text);

// Reads text into at most `size` bytes. False: a character that does not belong there, padding,
// a length that cannot be, or bits behind the last byte that are not 0. So any bytes have
// exactly one text: nobody can make a second token out of a token.
bool base64url_read(struct http_text text, uint8_t *bytes, size_t size, size_t *length);

#endif
