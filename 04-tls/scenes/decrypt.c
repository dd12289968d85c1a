// decrypt.c: see decrypt.h. Read decrypt_recording() first, from top to bottom.
#include "decrypt.h"

#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <string.h>

#define RSA_WITH_AES_128_GCM_SHA256 0x009c // RFC 5288
#define HASH_BYTES                  32     // SHA-256
#define NONCE_BYTES                 8      // the part of the nonce that is in each record
#define TAG_BYTES                   16
#define SEED_BYTES                  128
#define RSA_MAX_BYTES               1024

// The parts of the handshake that are needed.
struct facts {
    struct hello client, server;
    struct bytes key_exchange;        // the body of the ClientKeyExchange
    uint8_t session_hash[HASH_BYTES]; // of all messages up to and with it (RFC 7627 §3)
};

// ---- the recorded handshake ----------------------------------------------------------------

// Hashes the messages in the order in which they were sent: the ClientHello, all messages of
// the server, and then the other messages of the client.
static bool hash_session(struct bytes client, struct bytes server, const struct message *hello,
                         const struct message *key_exchange, uint8_t hash[HASH_BYTES])
{
    const uint8_t *rest = hello->whole.at + hello->whole.length;
    const uint8_t *end = key_exchange->whole.at + key_exchange->whole.length;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && hello->whole.at == client.at && end > rest &&
                EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
                EVP_DigestUpdate(ctx, hello->whole.at, hello->whole.length) &&
                EVP_DigestUpdate(ctx, server.at, server.length) &&
                EVP_DigestUpdate(ctx, rest, (size_t)(end - rest)) &&
                EVP_DigestFinal_ex(ctx, hash, NULL);
    EVP_MD_CTX_free(ctx);
    return good;
}

static const char *read_handshake(struct bytes to_server, struct bytes to_client,
                                  struct facts *facts)
{
    static uint8_t from_client[DISSECT_MESSAGES], from_server[DISSECT_MESSAGES];
    struct bytes client = dissect_handshake(to_server, from_client);
    struct bytes server = dissect_handshake(to_client, from_server);
    struct message client_hello, server_hello, server_done, key_exchange;
    if (!dissect_find(client, MESSAGE_CLIENT_HELLO, &client_hello) ||
        !dissect_find(server, MESSAGE_SERVER_HELLO, &server_hello) ||
        !dissect_hello(&client_hello, &facts->client) ||
        !dissect_hello(&server_hello, &facts->server))
        return "the recording does not begin with two Hellos";
    if (facts->server.version != 0x0303)
        return "nothing is encrypted with it";
    if (!dissect_find(server, MESSAGE_SERVER_DONE, &server_done) ||
        !dissect_find(client, MESSAGE_CLIENT_KEY_EXCHANGE, &key_exchange))
        return "no ClientKeyExchange: a session that was resumed";
    server.length = (size_t)(server_done.whole.at - server.at) + server_done.whole.length;
    facts->key_exchange = key_exchange.body;
    if (!hash_session(client, server, &client_hello, &key_exchange, facts->session_hash))
        return "the messages are not in order";
    return NULL;
}

// ---- the keys ------------------------------------------------------------------------------

// Decrypts the premaster secret, which the client has encrypted with the server's public key
// (RFC 5246 §7.4.7.1).
static bool open_premaster(struct bytes box, EVP_PKEY *stolen, uint8_t premaster[])
{
    uint8_t plain[RSA_MAX_BYTES];
    size_t length = sizeof plain;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(stolen, NULL);
    bool good = ctx && EVP_PKEY_get_size(stolen) <= RSA_MAX_BYTES &&
                EVP_PKEY_decrypt_init(ctx) > 0 &&
                EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
                EVP_PKEY_decrypt(ctx, plain, &length, box.at, box.length) > 0 &&
                length == PREMASTER_BYTES && plain[0] == 3 && plain[1] == 3; // the version
    if (good)
        memcpy(premaster, plain, PREMASTER_BYTES);
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

// TLS 1.2's pseudorandom function: it makes many bytes from a secret, with HMAC again and
// again. The label makes each use give other bytes (RFC 5246 §5).
static void prf(const uint8_t secret[PREMASTER_BYTES], const char *label, const uint8_t *seed,
                size_t seed_length, uint8_t *out, size_t length)
{
    uint8_t text[HASH_BYTES + SEED_BYTES], part[HASH_BYTES];
    size_t label_length = strlen(label), total = label_length + seed_length;
    memcpy(text + HASH_BYTES, label, label_length);
    memcpy(text + HASH_BYTES + label_length, seed, seed_length);
    // A(1) = HMAC(secret, label + seed), A(i) = HMAC(secret, A(i - 1))
    HMAC(EVP_sha256(), secret, PREMASTER_BYTES, text + HASH_BYTES, total, text, NULL);
    for (size_t at = 0; at < length; at += HASH_BYTES) {
        size_t left = length - at;
        HMAC(EVP_sha256(), secret, PREMASTER_BYTES, text, HASH_BYTES + total, part, NULL);
        if (left > HASH_BYTES)
            left = HASH_BYTES;
        memcpy(out + at, part, left);
        HMAC(EVP_sha256(), secret, PREMASTER_BYTES, text, HASH_BYTES, part, NULL);
        memcpy(text, part, HASH_BYTES);
    }
}

// premaster secret -> master secret -> keys and salts (RFC 5246 §8.1, §6.3; RFC 7627 §4).
static void derive(const struct facts *facts, struct loot *loot)
{
    uint8_t randoms[2 * DISSECT_RANDOM], block[2 * DECRYPT_KEY_BYTES + 8];
    memcpy(randoms, facts->client.random, DISSECT_RANDOM);
    memcpy(randoms + DISSECT_RANDOM, facts->server.random, DISSECT_RANDOM);
    if (facts->client.extended_master && facts->server.extended_master)
        prf(loot->premaster, "extended master secret", facts->session_hash, HASH_BYTES,
            loot->master, MASTER_BYTES);
    else
        prf(loot->premaster, "master secret", randoms, sizeof randoms, loot->master,
            MASTER_BYTES);
    memcpy(randoms, facts->server.random, DISSECT_RANDOM); // now the other way round
    memcpy(randoms + DISSECT_RANDOM, facts->client.random, DISSECT_RANDOM);
    prf(loot->master, "key expansion", randoms, sizeof randoms, block, sizeof block);
    for (int side = 0; side < 2; side++) { // the client's come first
        memcpy(loot->key[!side], block + side * DECRYPT_KEY_BYTES, DECRYPT_KEY_BYTES);
        memcpy(loot->salt[!side], block + 2 * DECRYPT_KEY_BYTES + side * 4, 4);
    }
}

// ---- records -------------------------------------------------------------------------------

// Decrypts one record, as its receiver would (RFC 5288 §3, RFC 5246 §6.2.3.3). Returns how
// many bytes are in `plain`, -1 if the key is not the right one.
static int open_record(const struct record *record, uint64_t number, const uint8_t *key,
                       const uint8_t salt[4], uint8_t *plain)
{
    uint8_t nonce[12], header[13], tag[TAG_BYTES];
    int length = (int)record->body.length - NONCE_BYTES - TAG_BYTES, got = -1, more = 0;
    if (length < 0)
        return -1;
    memcpy(nonce, salt, 4);
    memcpy(nonce + 4, record->body.at, NONCE_BYTES);
    for (int i = 0; i < 8; i++)
        header[i] = (uint8_t)(number >> (56 - 8 * i));
    memcpy(header + 8, (uint8_t[]){record->type, 3, 3, (uint8_t)(length >> 8), (uint8_t)length},
           5);
    memcpy(tag, record->body.at + NONCE_BYTES + length, TAG_BYTES);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (!ctx || !EVP_DecryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, key, nonce) ||
        !EVP_DecryptUpdate(ctx, NULL, &more, header, sizeof header) ||
        !EVP_DecryptUpdate(ctx, plain, &got, record->body.at + NONCE_BYTES, length) ||
        !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) ||
        EVP_DecryptFinal_ex(ctx, plain + got, &more) <= 0)
        got = -1;
    EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();
    return got;
}

// Decrypts the records of one direction. All records behind the ChangeCipherSpec are encrypted,
// and their numbers count from 0.
static void open_direction(struct bytes bytes, bool to_server, struct loot *loot)
{
    static uint8_t plain[UINT16_MAX];
    struct record record;
    bool changed = false;
    uint64_t number = 0;
    while (dissect_record(&bytes, &record)) {
        if (!changed) {
            changed = record.type == RECORD_CHANGE_CIPHER_SPEC;
            continue;
        }
        int length =
            open_record(&record, number++, loot->key[to_server], loot->salt[to_server], plain);
        size_t room = DECRYPT_BYTES - loot->length[to_server];
        if (length < 0)
            return;
        if (record.type != RECORD_DATA)
            continue; // Finished, an alert
        if (room > (size_t)length)
            room = (size_t)length;
        memcpy(loot->plain[to_server] + loot->length[to_server], plain, room);
        loot->length[to_server] += room;
    }
}

bool decrypt_recording(struct bytes to_server, struct bytes to_client, EVP_PKEY *stolen,
                       struct loot *loot)
{
    struct facts facts;
    *loot = (struct loot){.key_message = "not looked at"};
    if ((loot->why = read_handshake(to_server, to_client, &facts)))
        return false;
    struct bytes box = facts.key_exchange;
    // With RSA: two bytes of length, and what was encrypted. With ECDHE: one, and a public key.
    bool rsa = box.length > 2 && (size_t)(box.at[0] << 8 | box.at[1]) == box.length - 2;
    if (rsa) {
        box = (struct bytes){box.at + 2, box.length - 2};
        loot->key_bytes = box.length;
        loot->key_message = "a secret, encrypted";
    } else {
        loot->key_bytes = box.length - (box.length > 0);
        loot->key_message = "a public key";
    }
    if (!open_premaster(box, stolen, loot->premaster)) {
        loot->why = "the key decrypts nothing";
        return false;
    }
    if (facts.server.cipher != RSA_WITH_AES_128_GCM_SHA256) {
        loot->why = "a cipher that this program does not know";
        return false;
    }
    derive(&facts, loot);
    open_direction(to_server, true, loot);
    open_direction(to_client, false, loot);
    if (loot->length[0] + loot->length[1] == 0)
        loot->why = "the keys do not fit";
    return !loot->why;
}
