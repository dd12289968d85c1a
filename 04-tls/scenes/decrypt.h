// decrypt.h: decrypts a recorded session of TLS 1.2 whose keys were exchanged with RSA. It
// needs only the recording and the server's private key, which may have been stolen years
// later.
#ifndef DECRYPT_H
#define DECRYPT_H

#include <openssl/evp.h>

#include "dissect.h"

#define DECRYPT_BYTES     4096 // of plaintext, each way
#define PREMASTER_BYTES   48
#define MASTER_BYTES      48
#define DECRYPT_KEY_BYTES 16 // AES-128

struct loot {
    const char *why;         // the reason why it could not be decrypted; NULL: it could
    const char *key_message; // what the ClientKeyExchange contains
    size_t key_bytes;        // how long that is
    uint8_t premaster[PREMASTER_BYTES], master[MASTER_BYTES];
    uint8_t key[2][DECRYPT_KEY_BYTES], salt[2][4]; // [0] of the server, [1] of the client
    size_t length[2]; // bytes of plaintext, to the client and to the server
    char plain[2][DECRYPT_BYTES + 1];
};

// Decrypts the recording as far as it can. True if at least one record of data was decrypted.
bool decrypt_recording(struct bytes to_server, struct bytes to_client, EVP_PKEY *stolen,
                       struct loot *loot);

#endif
