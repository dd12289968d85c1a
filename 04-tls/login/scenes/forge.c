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
    key.secret_length = length;
    if (length > SECRET_MAX) { // HMAC takes the hash of a longer one (RFC 2104 §2)
        key.secret_length = 32;
        EVP_Digest(bytes, length, key.secret, NULL, EVP_sha256(), NULL);
    } else {
        memcpy(key.secret, bytes, length);
    }
    return key;
}
