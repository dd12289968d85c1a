// jwt.h: tokens: JSON Web Tokens (RFC 7519), signed as RFC 7515 says, and checked as RFC 8725
// wants it. A token is three parts, each base64url, with dots between them:
//
//     {"alg":"ES256","typ":"JWT","kid":"..."} . {"sub":"alice","role":"user","exp":...} .
//     signature
//
// Anybody can read the first two parts. The third one says that nobody has changed them.
#ifndef JWT_H
#define JWT_H

#include "keys.h"

#define JWT_BYTES       2048 // of a token, at most
#define JWT_PARTS       512  // of its header, decoded; the payload may be twice as long
#define SUBJECT_BYTES   33   // of a user's name, with its '\0'
#define ROLE_BYTES      17
#define SIGNATURE_BYTES 64 // at most: ES256's R and S

#define JWT_ISSUER "https://workbench.test"

// What a token says.
struct claims {
    char subject[SUBJECT_BYTES]; // whom it is about: a user
    char role[ROLE_BYTES];
    int64_t issued_s, expires_s; // seconds since 1970
};

// What a server wants of a token. The algorithm is not here: each key has its own.
struct jwt_rules {
    const struct keys *keys;
    const char *issuer, *audience; // who has to have made it; for whom it has to be made
};

// Signs claims for the audience in `rules`, with the key that signs. Returns the token's
// length; 0 if there is no such key.
size_t jwt_sign(const struct jwt_rules *rules, const struct claims *claims,
                char token[JWT_BYTES]);

// Checks a token, and reads its claims. Returns NULL if all is well, else half a sentence: the
// first thing that is wrong.
const char *jwt_verify(const struct jwt_rules *rules, struct http_text token, int64_t now_s,
                       struct claims *claims);

// The signature of `text` with a key, and whether it is the right one. In constant time for
// HS256.
size_t jwt_signature(const struct key *key, struct http_text text,
                     uint8_t signature[SIGNATURE_BYTES]);
bool jwt_signature_is(const struct key *key, struct http_text text, const uint8_t *signature,
                      size_t length);

// Splits a token at its dots. False: it does not have three parts.
bool jwt_split(struct http_text token, struct http_text parts[3]);

#endif
