// keys.h: the keys that sign tokens, and those that only check them. They stand in a file as a
// JSON Web Key Set (RFC 7517), the newest key last:
//
//     {"keys":[{"kty":"EC","crv":"P-256","x":"...","y":"...","d":"...","kid":"...","alg":"ES256"}]}
//
// HS256: one secret signs and checks, so whoever can check a token can make one. ES256: the
// private key ("d") signs; the public key, which everybody may have, only checks.
#ifndef KEYS_H
#define KEYS_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "http.h"

#define KEYS_MAX        4    // of one set: when there are more, the oldest is given up
#define KEYS_FILE_BYTES 8192 // of such a file
#define KEY_ID_BYTES    48   // of the name of a key, with its '\0'
#define SECRET_BYTES    32   // of a new secret; a shorter one is refused (RFC 7518 §3.2)
#define SECRET_MAX      64
#define COORDINATE      32 // bytes of a number of P-256

enum algorithm { HS256, ES256 };

struct key {
    enum algorithm algorithm;
    char id[KEY_ID_BYTES]; // "kid"
    uint8_t secret[SECRET_MAX];
    size_t secret_length;
    EVP_PKEY *pkey; // of ES256
    bool can_sign;
};

struct keys {
    int count;
    struct key list[KEYS_MAX]; // the newest is the last one
};

// "HS256".
const char *algorithm_name(enum algorithm algorithm);

// Reads a key set. Returns NULL, or half a sentence: what is wrong with it. A key of another
// kind is left out. All keys of a set are of one algorithm, so that no token can choose.
const char *keys_read(struct keys *keys, enum algorithm algorithm, struct http_text text);

// Reads the keys in a file; if there is none, or if `add` is set, makes a new key first, which
// signs from now on, while those before still check. Dies if it cannot.
void keys_open(struct keys *keys, enum algorithm algorithm, const char *path, bool add);

// Reads a file with public keys: it is enough to check tokens. Dies if it cannot.
void keys_open_public(struct keys *keys, const char *path);

void keys_free(struct keys *keys);

// The key of this name, NULL if there is none; the key that signs, NULL if none can.
const struct key *keys_find(const struct keys *keys, const char *id);
const struct key *keys_signing(const struct keys *keys);

// Writes the set as JSON: with the private parts, for the file; without them for everybody,
// where a secret has no place at all.
void keys_write(const struct keys *keys, bool private_parts, struct http_out *out);

// Writes the file's name of an algorithm's keys in a folder: "../keys/tokens-es256.json".
void keys_path(const char *folder, enum algorithm algorithm, char *path, size_t size);

#endif
