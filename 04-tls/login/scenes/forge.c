// forge.c: see forge.h.
#include "forge.h"

#include "base64url.h"
#include "net.h"

void forge(const char *header, const char *payload, const struct key *key,
           char token[JWT_BYTES])
{
    uint8_t signature[SIGNATURE_BYTES];
    if (BASE64URL_SIZE(strlen(header)) + BASE64URL_SIZE(strlen(payload)) + 100 > JWT_BYTES)
        die("a token of more than %d bytes", JWT_BYTES);
    size_t at = base64url_write(header, strlen(header), token);
    token[at++] = '.';
    at += base64url_write(payload, strlen(payload), token + at);
    size_t length = 0;
    if (key)
        length = jwt_signature(key, (struct http_text){token, at}, signature);
    token[at++] = '.';
    base64url_write(signature, length, token + at);
}

struct key forge_secret(const void *bytes, size_t length)
{
    struct key key = {.algorithm = HS256, .can_sign = true};
    if (length > SECRET_MAX)
        length = SECRET_MAX;
    memcpy(key.secret, bytes, length);
    key.secret_length = length;
    return key;
}
