// naive.c: a WRONG way to check tokens, which real libraries had until 2015, and some later:
// the attacker's header decides which algorithm is used, and with which key. See scene attacks.
#include "naive.h"

#include <stdio.h>

#include "base64url.h"
#include "forge.h"
#include "json.h"

bool naive_verify(struct http_text token, const struct keys *keys, const char *public_text)
{
    struct http_text parts[3];
    uint8_t bytes[JWT_BYTES], signature[JWT_BYTES];
    struct json header, jwk;
    char alg[16] = "";
    size_t length;
    if (!jwt_split(token, parts))
        return false;
    base64url_read(parts[0], bytes, sizeof bytes, &length); // WRONG: bad text is let pass
    if (!json_read((struct http_text){(char *)bytes, length}, &header))
        return false;
    base64url_read(parts[2], signature, sizeof signature, &length);
    struct http_text is_signed = {token.at, (size_t)(parts[2].at - 1 - token.at)};
    json_member_string(&header, "alg", alg, sizeof alg);
    if (!strcasecmp(alg, "none")) // WRONG: no signature, no check
        return true;
    struct key key = *keys_signing(keys);
    if (!strcmp(alg, "HS256")) // WRONG: the public key becomes a secret
        key = forge_secret(public_text, strlen(public_text));
    char set[1000];
    struct keys brought = {0};
    if (json_member(&header, "jwk", &jwk)) { // WRONG: the key comes with the token
        int size =
            snprintf(set, sizeof set, "{\"keys\":[%.*s]}", (int)jwk.text.length, jwk.text.at);
        if (!keys_read(&brought, ES256, (struct http_text){set, (size_t)size}) && brought.count)
            key = brought.list[0];
    }
    bool good = jwt_signature_is(&key, is_signed, signature, length);
    keys_free(&brought);
    return good; // WRONG: expired, made by others, made for others: all is taken
}
