// initial.c: see initial.h. Read decrypt() first.
#include "initial.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "http3.h"

#define DATAGRAM_MAX 1500
#define SECRET       32 // bytes of SHA-256
#define KEY          16 // bytes of AES-128
#define NONCE        12
#define TAG          16
#define SAMPLE_AT    4 // from the packet number's place on (RFC 9001 §5.4.2)

#define FRAME_PADDING 0x00 // of QUIC (RFC 9000 §19)
#define FRAME_PING    0x01
#define FRAME_CRYPTO  0x06

bool packet_head_read(const uint8_t *bytes, size_t length, struct packet_head *head)
{
    size_t at = 6;
    uint64_t number;
    *head = (struct packet_head){.end = length};
    if (length < 1 || !(bytes[0] & 0x40))
        return false;
    if (!(bytes[0] & 0x80))
        return true; // a short one: to whom, and all the rest is hidden
    if (length < at)
        return false;
    head->is_long = true;
    head->type = bytes[0] >> 4 & 3;
    head->version = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 |
                    (uint32_t)bytes[3] << 8 | bytes[4];
    head->to_length = bytes[5];
    if (head->to_length > CONNECTION_ID_MAX || at + head->to_length + 1 > length)
        return false;
    memcpy(head->to, bytes + at, head->to_length);
    at += head->to_length;
    head->from_length = bytes[at++];
    if (head->from_length > CONNECTION_ID_MAX || at + head->from_length > length)
        return false;
    memcpy(head->from, bytes + at, head->from_length);
    at += head->from_length;
    if (head->type == 3) // Retry: the token goes to the end
        return true;
    if (head->type == 0) { // Initial: a token
        size_t size = number_read(bytes + at, length - at, &number);
        if (!size || number > length - at - size)
            return false;
        at += size + (size_t)number;
    }
    size_t size = number_read(bytes + at, length - at, &number);
    if (!size || number > length - at - size)
        return false;
    head->number_at = at + size;
    head->end = head->number_at + (size_t)number;
    return true;
}

// ---- keys that everybody can compute -------------------------------------------------------

// HKDF-Expand-Label of TLS 1.3 (RFC 8446 §7.1), for at most 32 bytes.
static void expand(const uint8_t secret[SECRET], const char *label, uint8_t *out, size_t length)
{
    uint8_t info[64] = {0, (uint8_t)length, (uint8_t)(6 + strlen(label))}, block[SECRET];
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, strlen(label));
    size_t size = 9 + strlen(label);
    info[size++] = 0; // no context
    info[size++] = 1; // the first block
    HMAC(EVP_sha256(), secret, SECRET, info, size, block, NULL);
    memcpy(out, block, length);
}

struct keys {
    uint8_t key[KEY], nonce[NONCE], hide[KEY];
};

// The keys of the client's Initial packets, out of the connection id to which they are sent.
static void derive(const struct packet_head *head, struct keys *keys)
{
    static const uint8_t salt[] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                   0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
    uint8_t initial[SECRET], client[SECRET];
    HMAC(EVP_sha256(), salt, sizeof salt, head->to, head->to_length, initial, NULL);
    expand(initial, "client in", client, SECRET);
    expand(client, "quic key", keys->key, KEY);
    expand(client, "quic iv", keys->nonce, NONCE);
    expand(client, "quic hp", keys->hide, KEY);
}

// ---- the packet ----------------------------------------------------------------------------

// Uncovers the packet number (RFC 9001 §5.4). Returns how many bytes it has; 0: an error.
static size_t uncover(uint8_t *packet, const struct packet_head *head, const struct keys *keys)
{
    uint8_t mask[2 * KEY];
    int length;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool good =
        ctx && EVP_EncryptInit_ex(ctx, EVP_aes_128_ecb(), NULL, keys->hide, NULL) &&
        EVP_EncryptUpdate(ctx, mask, &length, packet + head->number_at + SAMPLE_AT, KEY);
    EVP_CIPHER_CTX_free(ctx);
    if (!good)
        return 0;
    packet[0] ^= mask[0] & 0x0f;
    size_t size = 1 + (packet[0] & 3);
    for (size_t i = 0; i < size; i++)
        packet[head->number_at + i] ^= mask[1 + i];
    return size;
}

// Decrypts the payload of the packet in place. Returns where it begins, and its length; NULL:
// it is not what the keys are for.
static uint8_t *decrypt(uint8_t *packet, const struct packet_head *head, size_t *length)
{
    struct keys keys;
    int done;
    derive(head, &keys);
    if (head->end < head->number_at + SAMPLE_AT + KEY)
        return NULL;
    size_t size = uncover(packet, head, &keys), start = head->number_at + size;
    if (!size || head->end < start + TAG)
        return NULL;
    for (size_t i = 0; i < size; i++) // the nonce is different for each packet
        keys.nonce[NONCE - size + i] ^= packet[head->number_at + i];
    *length = head->end - start - TAG;
    uint8_t *payload = packet + start;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool good = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, keys.key, keys.nonce) &&
                EVP_DecryptUpdate(ctx, NULL, &done, packet, (int)start) &&
                EVP_DecryptUpdate(ctx, payload, &done, payload, (int)*length) &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, payload + *length) &&
                EVP_DecryptFinal_ex(ctx, payload + *length, &done);
    EVP_CIPHER_CTX_free(ctx);
    if (!good)
        return NULL;
    return payload;
}

// Puts the pieces of the ClientHello together. Returns how many bytes there are.
static size_t collect(const uint8_t *payload, size_t length, uint8_t hello[DATAGRAM_MAX])
{
    size_t collected = 0;
    for (size_t at = 0; at < length;) {
        uint64_t offset, size;
        uint8_t type = payload[at++];
        if (type == FRAME_PADDING || type == FRAME_PING)
            continue;
        if (type != FRAME_CRYPTO)
            break;
        size_t first = number_read(payload + at, length - at, &offset);
        size_t second = number_read(payload + at + first, length - at - first, &size);
        at += first + second;
        if (!first || !second || size > length - at || offset + size > DATAGRAM_MAX)
            break;
        memcpy(hello + offset, payload + at, size);
        if (offset + size > collected)
            collected = (size_t)(offset + size);
        at += (size_t)size;
    }
    return collected;
}

// ---- the ClientHello (RFC 8446 §4.1.2) -----------------------------------------------------

static size_t u16(const uint8_t *bytes)
{
    return (size_t)bytes[0] << 8 | bytes[1];
}

// Finds the name among the extensions, of which each has a type and a length.
static bool find_name(const uint8_t *at, const uint8_t *end, char name[INITIAL_NAME])
{
    while (end - at >= 4) {
        size_t type = u16(at), length = u16(at + 2);
        at += 4;
        if (length > (size_t)(end - at))
            return false;
        if (type == 0 && length > 5) { // a list with one name, which has a type and a length
            size_t size = u16(at + 3);
            if (size > length - 5 || size >= INITIAL_NAME)
                return false;
            memcpy(name, at + 5, size);
            name[size] = '\0';
            return true;
        }
        at += length;
    }
    return false;
}

static bool read_hello(const uint8_t *hello, size_t length, char name[INITIAL_NAME])
{
    const uint8_t *at = hello + 38, *end = hello + length; // behind version and random number
    if (length < 39 || hello[0] != 1)
        return false;
    at += 1 + *at; // session id
    if (end - at < 2)
        return false;
    at += 2 + u16(at); // ciphers
    if (end - at < 1)
        return false;
    at += 1 + *at; // compression
    if (end - at < 2)
        return false;
    return find_name(at + 2, end, name);
}

bool initial_server_name(const uint8_t *datagram, size_t length, char name[INITIAL_NAME])
{
    uint8_t packet[DATAGRAM_MAX], hello[DATAGRAM_MAX] = {0};
    struct packet_head head;
    if (length > DATAGRAM_MAX || !packet_head_read(datagram, length, &head) || !head.is_long ||
        head.type != 0)
        return false;
    memcpy(packet, datagram, length);
    uint8_t *payload = decrypt(packet, &head, &length);
    return payload && read_hello(hello, collect(payload, length, hello), name);
}
