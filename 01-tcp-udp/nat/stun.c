// stun.c: see stun.h.
#include "stun.h"

#include <netinet/in.h>
#include <string.h>

#include "crc32.h"
#include "datagram.h"
#include "network_order.h"
#include "secret.h"

#define FAMILY_IPV4       1
#define FAMILY_IPV6       2
#define FINGERPRINT_XOR   0x5354554eu // RFC 8489 section 14.7
#define FINGERPRINT_BYTES 8           // of the whole attribute
#define INTEGRITY_BYTES   24          // of the whole attribute

static size_t filled_up(size_t length)
{
    return (length + 3) & ~(size_t)3;
}

// ---- type: the bits of class and method are mixed (RFC 8489 section 5) ---------------------

static uint16_t mix(enum stun_class class, uint16_t method)
{
    return (uint16_t)((method & 0xf80) << 2 | (method & 0x70) << 1 | (method & 0xf) |
                      ((unsigned)class & 2) << 7 | ((unsigned)class & 1) << 4);
}

static void unmix(uint16_t type, enum stun_class *class, uint16_t *method)
{
    *class = (enum stun_class)((type >> 7 & 2) | (type >> 4 & 1));
    *method = (uint16_t)((type >> 2 & 0xf80) | (type >> 1 & 0x70) | (type & 0xf));
}

// ---- integrity -----------------------------------------------------------------------------

// The message up to `end`, with a length in its header as if an attribute of `more` bytes ended
// it, is what MESSAGE-INTEGRITY and FINGERPRINT are computed from.
static void copy_up_to(uint8_t copy[STUN_MAX], const uint8_t *bytes, size_t end, size_t more)
{
    memcpy(copy, bytes, end);
    put16(copy + 2, (uint16_t)(end + more - STUN_HEADER));
}

static void compute_integrity(const uint8_t *bytes, size_t end, const char *key,
                              uint8_t digest[SHA1_BYTES])
{
    uint8_t copy[STUN_MAX];
    copy_up_to(copy, bytes, end, INTEGRITY_BYTES);
    hmac_sha1(key, strlen(key), copy, end, digest);
}

static uint32_t compute_fingerprint(const uint8_t *bytes, size_t end)
{
    uint8_t copy[STUN_MAX];
    copy_up_to(copy, bytes, end, FINGERPRINT_BYTES);
    return crc32(copy, end) ^ FINGERPRINT_XOR;
}

bool stun_is_signed(const struct stun_message *message, const char *key)
{
    uint8_t digest[SHA1_BYTES];
    if (!message->integrity_at)
        return false;
    compute_integrity(message->bytes, message->integrity_at, key, digest);
    return same_secret(digest, message->bytes + message->integrity_at + 4, SHA1_BYTES);
}

// ---- reading -------------------------------------------------------------------------------

// Notes MESSAGE-INTEGRITY and FINGERPRINT, and checks where they stand.
static const char *take_attribute(struct stun_message *message, size_t at, uint16_t type,
                                  uint16_t length)
{
    if (message->fingerprint_at)
        return "an attribute stands behind FINGERPRINT";
    if (type == MESSAGE_INTEGRITY && !message->integrity_at) {
        if (length != SHA1_BYTES)
            return "MESSAGE-INTEGRITY has not 20 bytes";
        message->integrity_at = at;
    }
    if (type == FINGERPRINT && message->has_cookie) {
        if (length != 4)
            return "FINGERPRINT has not 4 bytes";
        if (get32(message->bytes + at + 4) != compute_fingerprint(message->bytes, at))
            return "FINGERPRINT is wrong";
        message->fingerprint_at = at;
    }
    return NULL;
}

const char *stun_read(const void *bytes, size_t length, struct stun_message *message)
{
    *message = (struct stun_message){.bytes = bytes, .length = length};
    if (length < STUN_HEADER)
        return "it is shorter than a header";
    if (length > STUN_MAX)
        return "it is too long";
    if (message->bytes[0] & 0xc0)
        return "its first two bits are not 0";
    size_t said = get16(message->bytes + 2);
    if (said % 4 || said + STUN_HEADER != length)
        return "its length is wrong";
    unmix(get16(message->bytes), &message->class, &message->method);
    message->has_cookie = get32(message->bytes + 4) == STUN_COOKIE;
    for (size_t at = STUN_HEADER; at < length;) {
        uint16_t type = get16(message->bytes + at), size = get16(message->bytes + at + 2);
        if (filled_up(size) > length - at - 4)
            return "an attribute is longer than the message";
        const char *why = take_attribute(message, at, type, size);
        if (why)
            return why;
        at += 4 + filled_up(size);
    }
    return NULL;
}

long stun_size(const void *bytes, size_t length)
{
    const uint8_t *header = bytes;
    if (length > 0 && header[0] & 0xc0)
        return -1;
    if (length < STUN_HEADER)
        return 0;
    long size = STUN_HEADER + get16(header + 2);
    if (size > STUN_MAX || size % 4)
        return -1;
    return size;
}

const uint8_t *stun_next(const struct stun_message *message, size_t *at, uint16_t *type,
                         uint16_t *length)
{
    size_t end = message->length;
    if (message->integrity_at)
        end = message->integrity_at;
    else if (message->fingerprint_at)
        end = message->fingerprint_at;
    if (*at == 0)
        *at = STUN_HEADER;
    if (*at >= end)
        return NULL;
    const uint8_t *attribute = message->bytes + *at;
    *type = get16(attribute);
    *length = get16(attribute + 2);
    *at += 4 + filled_up(*length);
    return attribute + 4;
}

const uint8_t *stun_find(const struct stun_message *message, uint16_t type, uint16_t *length)
{
    size_t at = 0;
    uint16_t found;
    const uint8_t *value;
    while ((value = stun_next(message, &at, &found, length)))
        if (found == type)
            return value;
    return NULL;
}

bool stun_find_u32(const struct stun_message *message, uint16_t type, uint32_t *value)
{
    uint16_t length;
    const uint8_t *at = stun_find(message, type, &length);
    if (!at || length != 4)
        return false;
    *value = get32(at);
    return true;
}

bool stun_find_u64(const struct stun_message *message, uint16_t type, uint64_t *value)
{
    uint16_t length;
    const uint8_t *at = stun_find(message, type, &length);
    if (!at || length != 8)
        return false;
    *value = (uint64_t)get32(at) << 32 | get32(at + 4);
    return true;
}

static bool is_xored(uint16_t type)
{
    return type == XOR_MAPPED_ADDRESS || type == XOR_PEER_ADDRESS ||
           type == XOR_RELAYED_ADDRESS;
}

// Hides the port and the address, or shows them again: `transaction` begins with the cookie.
static void xor_address(uint8_t *port_and_address, size_t address_length,
                        const uint8_t *transaction)
{
    port_and_address[0] ^= transaction[0];
    port_and_address[1] ^= transaction[1];
    for (size_t i = 0; i < address_length; i++)
        port_and_address[2 + i] ^= transaction[i];
}

bool stun_find_address(const struct stun_message *message, uint16_t type,
                       struct sockaddr_storage *address)
{
    uint8_t copy[18];
    uint16_t length;
    const uint8_t *value = stun_find(message, type, &length);
    bool is_ipv4 = value && length == 8 && value[1] == FAMILY_IPV4;
    bool is_ipv6 = value && length == 20 && value[1] == FAMILY_IPV6;
    if (!is_ipv4 && !is_ipv6)
        return false;
    memcpy(copy, value + 2, length - 2u);
    if (is_xored(type))
        xor_address(copy, length - 4u, message->bytes + 4);
    *address = address_make(is_ipv4, copy + 2, get16(copy));
    return true;
}

int stun_error_code(const struct stun_message *message)
{
    uint16_t length;
    const uint8_t *value = stun_find(message, ERROR_CODE, &length);
    if (message->class != STUN_ERROR || !value || length < 4)
        return 0;
    return (value[2] & 7) * 100 + value[3];
}

bool stun_is_transaction(const struct stun_message *message, const uint8_t *transaction)
{
    return !memcmp(message->bytes + 4, transaction, STUN_TRANSACTION);
}

// ---- writing -------------------------------------------------------------------------------

void stun_begin(struct stun_writer *writer, void *bytes, size_t size, enum stun_class class,
                uint16_t method, const uint8_t *transaction)
{
    *writer = (struct stun_writer){.bytes = bytes, .size = size, .length = STUN_HEADER};
    put16(writer->bytes, mix(class, method));
    put16(writer->bytes + 2, 0);
    memcpy(writer->bytes + 4, transaction, STUN_TRANSACTION);
}

void stun_add(struct stun_writer *writer, uint16_t type, const void *value, size_t length)
{
    uint8_t *at = writer->bytes + writer->length;
    if (4 + filled_up(length) > writer->size - writer->length)
        return;
    put16(at, type);
    put16(at + 2, (uint16_t)length);
    if (length)
        memcpy(at + 4, value, length);
    memset(at + 4 + length, 0, filled_up(length) - length);
    writer->length += 4 + filled_up(length);
    put16(writer->bytes + 2, (uint16_t)(writer->length - STUN_HEADER));
}

void stun_add_text(struct stun_writer *writer, uint16_t type, const char *text)
{
    stun_add(writer, type, text, strlen(text));
}

void stun_add_u32(struct stun_writer *writer, uint16_t type, uint32_t value)
{
    uint8_t bytes[4];
    put32(bytes, value);
    stun_add(writer, type, bytes, sizeof bytes);
}

void stun_add_u64(struct stun_writer *writer, uint16_t type, uint64_t value)
{
    uint8_t bytes[8];
    put32(bytes, (uint32_t)(value >> 32));
    put32(bytes + 4, (uint32_t)value);
    stun_add(writer, type, bytes, sizeof bytes);
}

void stun_add_address(struct stun_writer *writer, uint16_t type,
                      const struct sockaddr_storage *address)
{
    uint8_t value[20] = {0, FAMILY_IPV4};
    size_t length;
    const void *bytes = address_bytes(address, &length);
    if (length == 16)
        value[1] = FAMILY_IPV6;
    put16(value + 2, address_port(address));
    memcpy(value + 4, bytes, length);
    if (is_xored(type))
        xor_address(value + 2, length, writer->bytes + 4);
    stun_add(writer, type, value, 4 + length);
}

void stun_add_error(struct stun_writer *writer, int code, const char *reason)
{
    uint8_t value[4 + 60] = {0, 0, (uint8_t)(code / 100), (uint8_t)(code % 100)};
    size_t length = strnlen(reason, 60);
    memcpy(value + 4, reason, length);
    stun_add(writer, ERROR_CODE, value, 4 + length);
}

void stun_sign(struct stun_writer *writer, const char *key)
{
    uint8_t digest[SHA1_BYTES];
    compute_integrity(writer->bytes, writer->length, key, digest);
    stun_add(writer, MESSAGE_INTEGRITY, digest, sizeof digest);
}

void stun_add_fingerprint(struct stun_writer *writer)
{
    stun_add_u32(writer, FINGERPRINT, compute_fingerprint(writer->bytes, writer->length));
}

void stun_new_transaction(uint8_t transaction[STUN_TRANSACTION])
{
    put32(transaction, STUN_COOKIE);
    random_bytes(transaction + 4, STUN_TRANSACTION - 4);
}
