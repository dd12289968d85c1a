// jwt.c: see jwt.h. Read jwt_verify() first: the order of its steps is the lesson.
#include "jwt.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>

#include "base64url.h"
#include "json.h"

#define DER_BYTES 80 // of a signature of P-256 as OpenSSL writes it

// ---- signatures ----------------------------------------------------------------------------

// OpenSSL writes R and S of an ECDSA signature as DER; a token has them one behind the other,
// 32 bytes each (RFC 7518 §3.4).
static bool der_to_raw(const uint8_t *der, size_t length, uint8_t raw[SIGNATURE_BYTES])
{
    ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &der, (long)length);
    bool good =
        numbers && BN_bn2binpad(ECDSA_SIG_get0_r(numbers), raw, COORDINATE) == COORDINATE &&
        BN_bn2binpad(ECDSA_SIG_get0_s(numbers), raw + COORDINATE, COORDINATE) == COORDINATE;
    ECDSA_SIG_free(numbers);
    return good;
}

static int raw_to_der(const uint8_t raw[SIGNATURE_BYTES], uint8_t der[DER_BYTES])
{
    ECDSA_SIG *numbers = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, COORDINATE, NULL);
    BIGNUM *s = BN_bin2bn(raw + COORDINATE, COORDINATE, NULL);
    int length = -1;
    if (numbers && r && s && ECDSA_SIG_set0(numbers, r, s)) {
        length = i2d_ECDSA_SIG(numbers, &der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(numbers);
    return length;
}

size_t jwt_signature(const struct key *key, struct http_text text,
                     uint8_t signature[SIGNATURE_BYTES])
{
    const uint8_t *bytes = (const uint8_t *)text.at;
    uint8_t der[DER_BYTES];
    size_t length = sizeof der;
    if (key->algorithm == HS256) {
        unsigned hmac_length = 0; // stays 0 if it fails
        HMAC(EVP_sha256(), key->secret, (int)key->secret_length, bytes, text.length, signature,
             &hmac_length);
        return hmac_length;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
                EVP_DigestSign(ctx, der, &length, bytes, text.length) == 1 &&
                der_to_raw(der, length, signature);
    EVP_MD_CTX_free(ctx);
    if (!good)
        return 0;
    return 2 * COORDINATE;
}

bool jwt_signature_is(const struct key *key, struct http_text text, const uint8_t *signature,
                      size_t length)
{
    uint8_t right[SIGNATURE_BYTES], der[DER_BYTES];
    if (key->algorithm == HS256) {
        size_t right_length = jwt_signature(key, text, right);
        // memcmp() ends at the first byte that differs, and the time it takes tells which one
        // that was: so a forger could find one byte after the other.
        return right_length == length && !CRYPTO_memcmp(right, signature, length);
    }
    if (length != 2 * COORDINATE)
        return false;
    int der_length = raw_to_der(signature, der);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && der_length > 0 &&
                EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
                EVP_DigestVerify(ctx, der, (size_t)der_length, (const uint8_t *)text.at,
                                 text.length) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

// ---- making a token ------------------------------------------------------------------------

size_t jwt_sign(const struct jwt_rules *rules, const struct claims *claims,
                char token[JWT_BYTES])
{
    const struct key *key = keys_signing(rules->keys);
    char header[JWT_PARTS], payload[JWT_PARTS], id[BASE64URL_SIZE(16)];
    uint8_t bytes[SIGNATURE_BYTES];
    if (!key || RAND_bytes(bytes, 16) != 1)
        return 0;
    base64url_write(bytes, 16, id);
    // Names and roles have only letters and digits (see passwords.c): nothing has to be
    // escaped.
    int length =
        snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
                 algorithm_name(key->algorithm), key->id);
    size_t at = base64url_write(header, (size_t)length, token);
    token[at++] = '.';
    length = snprintf(payload, sizeof payload,
                      "{\"iss\":\"%s\",\"aud\":\"%s\",\"sub\":\"%s\",\"role\":\"%s\","
                      "\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld,\"jti\":\"%s\"}",
                      rules->issuer, rules->audience, claims->subject, claims->role,
                      (long long)claims->issued_s, (long long)claims->issued_s,
                      (long long)claims->expires_s, id);
    if (length >= (int)sizeof payload)
        return 0;
    at += base64url_write(payload, (size_t)length, token + at);
    size_t signature = jwt_signature(key, (struct http_text){token, at}, bytes);
    if (!signature)
        return 0;
    token[at++] = '.';
    return at + base64url_write(bytes, signature, token + at);
}

// ---- checking one --------------------------------------------------------------------------

bool jwt_split(struct http_text token, struct http_text parts[3])
{
    const char *at = token.at, *end = token.at + token.length;
    for (int i = 0; i < 3; i++) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        if (!dot != (i == 2))
            return false;
        if (!dot)
            dot = end;
        parts[i] = (struct http_text){at, (size_t)(dot - at)};
        if (i < 2)
            at = dot + 1;
    }
    return true;
}

// The JSON object in one part of a token. It points into `bytes`.
static bool read_part(struct http_text part, uint8_t *bytes, size_t size, struct json *object)
{
    size_t length;
    return base64url_read(part, bytes, size, &length) &&
           json_read((struct http_text){(char *)bytes, length}, object) &&
           object->type == JSON_OBJECT;
}

// Chooses the key. The header only says which of *our* keys it is; what algorithm goes with
// that key, we know already (RFC 8725 §3.1). A key, or a place to find one, that the header
// brings along (jwk, jku, x5c, x5u) is not looked at.
static const char *choose_key(const struct keys *keys, const struct json *header,
                              const struct key **key)
{
    char alg[16], kid[KEY_ID_BYTES], typ[16];
    struct json value;
    if (json_member(header, "crit", &value))
        return "its crit is not understood";
    if (json_member(header, "typ", &value) &&
        (!json_string(&value, typ, sizeof typ) || strcasecmp(typ, "JWT")))
        return "its type is not JWT";
    if (!json_member_string(header, "kid", kid, sizeof kid) || !(*key = keys_find(keys, kid)))
        return "no key of ours has its kid";
    if (!json_member_string(header, "alg", alg, sizeof alg) ||
        strcmp(alg, algorithm_name((*key)->algorithm)))
        return "not its key's algorithm";
    return NULL;
}

static bool is_for(const struct json *payload, const char *audience)
{
    struct json value, item;
    char text[JWT_PARTS];
    size_t at = 0;
    if (!json_member(payload, "aud", &value))
        return false;
    if (json_string(&value, text, sizeof text))
        return !strcmp(text, audience);
    while (json_next(&value, &at, &item))
        if (json_string(&item, text, sizeof text) && !strcmp(text, audience))
            return true;
    return false;
}

static const char *check_claims(const struct jwt_rules *rules, const struct json *payload,
                                int64_t now_s, struct claims *claims)
{
    char issuer[JWT_PARTS];
    int64_t not_before_s = 0;
    struct json value;
    claims->issued_s = 0;
    if (!json_member_string(payload, "iss", issuer, sizeof issuer) ||
        strcmp(issuer, rules->issuer))
        return "another issuer has made it";
    if (!is_for(payload, rules->audience))
        return "it is for another audience";
    if (!json_member_integer(payload, "exp", &claims->expires_s))
        return "it never expires";
    if (now_s >= claims->expires_s)
        return "it has expired";
    if (json_member(payload, "nbf", &value) &&
        (!json_member_integer(payload, "nbf", &not_before_s) || now_s < not_before_s))
        return "it is not valid yet";
    if (json_member(payload, "iat", &value) &&
        !json_member_integer(payload, "iat", &claims->issued_s))
        return "iat is no number";
    if (!json_member_string(payload, "sub", claims->subject, sizeof claims->subject) ||
        !json_member_string(payload, "role", claims->role, sizeof claims->role))
        return "it does not say who it is about";
    return NULL;
}

const char *jwt_verify(const struct jwt_rules *rules, struct http_text token, int64_t now_s,
                       struct claims *claims)
{
    uint8_t header_bytes[JWT_PARTS], payload_bytes[2 * JWT_PARTS], signature[SIGNATURE_BYTES];
    struct http_text parts[3];
    struct json header, payload;
    const struct key *key;
    size_t length;
    if (token.length >= JWT_BYTES || !jwt_split(token, parts))
        return "it does not have three parts";
    if (!read_part(parts[0], header_bytes, sizeof header_bytes, &header))
        return "its header is malformed";
    const char *why = choose_key(rules->keys, &header, &key);
    if (why)
        return why;
    if (!base64url_read(parts[2], signature, sizeof signature, &length))
        return "its signature is malformed";
    // The signature is of the two parts as they were sent, not of what they mean.
    struct http_text is_signed = {token.at, (size_t)(parts[2].at - 1 - token.at)};
    if (!jwt_signature_is(key, is_signed, signature, length))
        return "its signature is wrong";
    // Only now does it matter what the token says.
    if (!read_part(parts[1], payload_bytes, sizeof payload_bytes, &payload))
        return "its payload is malformed";
    return check_claims(rules, &payload, now_s, claims);
}
