// dissect.c: see dissect.h. Read take() first: all lengths are checked there.
#include "dissect.h"

#include <string.h>

#define RECORD_BODY_MAX (16384 + 2048) // bytes (RFC 5246 §6.2.3)

enum {
    EXTENSION_NAME = 0,
    EXTENSION_PROTOCOLS = 16,
    EXTENSION_EXTENDED_MASTER = 23,
    EXTENSION_PRE_SHARED_KEY = 41,
    EXTENSION_EARLY_DATA = 42,
    EXTENSION_VERSIONS = 43,
};

// Takes `length` bytes from the beginning. False, and nothing is taken, if there are fewer.
static bool take(struct bytes *from, size_t length, struct bytes *taken)
{
    if (from->length < length)
        return false;
    *taken = (struct bytes){from->at, length};
    from->at += length;
    from->length -= length;
    return true;
}

// Takes a number of 1 to 3 bytes, the highest byte first.
static bool take_number(struct bytes *from, size_t size, uint32_t *number)
{
    struct bytes digits;
    if (!take(from, size, &digits))
        return false;
    *number = 0;
    for (size_t i = 0; i < size; i++)
        *number = *number << 8 | digits.at[i];
    return true;
}

// Takes what TLS calls a vector: first its length, in `size` bytes, then so many bytes.
static bool take_vector(struct bytes *from, size_t size, struct bytes *vector)
{
    struct bytes rest = *from;
    uint32_t length;
    if (!take_number(&rest, size, &length) || !take(&rest, length, vector))
        return false;
    *from = rest;
    return true;
}

bool dissect_record(struct bytes *bytes, struct record *record)
{
    struct bytes rest = *bytes;
    uint32_t type, version;
    if (!take_number(&rest, 1, &type) || !take_number(&rest, 2, &version) ||
        !take_vector(&rest, 2, &record->body) || record->body.length > RECORD_BODY_MAX ||
        type < RECORD_CHANGE_CIPHER_SPEC || type > RECORD_DATA)
        return false;
    record->type = (uint8_t)type;
    record->version = (uint16_t)version;
    *bytes = rest;
    return true;
}

struct bytes dissect_handshake(struct bytes direction, uint8_t to[DISSECT_MESSAGES])
{
    struct bytes all = {to, 0};
    struct record record;
    while (dissect_record(&direction, &record) && record.type == RECORD_HANDSHAKE &&
           record.body.length <= DISSECT_MESSAGES - all.length) {
        memcpy(to + all.length, record.body.at, record.body.length);
        all.length += record.body.length;
    }
    return all;
}

bool dissect_message(struct bytes *bytes, struct message *message)
{
    struct bytes rest = *bytes;
    uint32_t type;
    if (!take_number(&rest, 1, &type) || !take_vector(&rest, 3, &message->body))
        return false;
    message->type = (uint8_t)type;
    message->whole = (struct bytes){bytes->at, bytes->length - rest.length};
    *bytes = rest;
    return true;
}

bool dissect_find(struct bytes handshake, uint8_t type, struct message *message)
{
    while (dissect_message(&handshake, message))
        if (message->type == type)
            return true;
    return false;
}

// ---- hellos --------------------------------------------------------------------------------

// The first name of a list of names (RFC 6066 §3). A server's answer to it is empty.
static bool read_name(struct bytes body, struct hello *hello)
{
    struct bytes list, name;
    uint32_t type;
    if (body.length == 0)
        return true;
    if (!take_vector(&body, 2, &list) || !take_number(&list, 1, &type) ||
        !take_vector(&list, 2, &name))
        return false;
    if (type == 0) // a host name
        hello->name = name;
    return true;
}

static bool read_protocols(struct bytes body, struct hello *hello)
{
    struct bytes list, name;
    size_t length = 0;
    if (!take_vector(&body, 2, &list))
        return false;
    while (list.length) {
        if (!take_vector(&list, 1, &name))
            return false;
        if (length + name.length + 2 > sizeof hello->protocols)
            return true; // no room for more
        if (length)
            hello->protocols[length++] = ' ';
        memcpy(hello->protocols + length, name.at, name.length);
        length += name.length;
        hello->protocols[length] = '\0';
    }
    return true;
}

// A client sends a list of versions, a server the one that it has chosen (RFC 8446 §4.2.1).
static bool read_versions(struct bytes body, bool from_client, struct hello *hello)
{
    struct bytes list = body;
    uint32_t version;
    if (from_client && !take_vector(&body, 1, &list))
        return false;
    while (take_number(&list, 2, &version))
        if (version == 0x0304)
            hello->version = 0x0304;
    return true;
}

static bool read_extension(uint32_t type, struct bytes body, bool from_client,
                           struct hello *hello)
{
    switch (type) {
    case EXTENSION_NAME:
        return read_name(body, hello);
    case EXTENSION_PROTOCOLS:
        return read_protocols(body, hello);
    case EXTENSION_VERSIONS:
        return read_versions(body, from_client, hello);
    case EXTENSION_EXTENDED_MASTER:
        return hello->extended_master = true;
    case EXTENSION_PRE_SHARED_KEY:
        return hello->resumes = true;
    case EXTENSION_EARLY_DATA:
        return hello->early = true;
    default:
        return true;
    }
}

// Reads the part between the random and the extensions (RFC 8446 §4.1.2, §4.1.3).
static bool read_middle(struct bytes *body, bool from_client, struct hello *hello)
{
    struct bytes session, ciphers, compression;
    uint32_t number;
    if (!take_vector(body, 1, &session))
        return false;
    if (from_client)
        return take_vector(body, 2, &ciphers) && take_vector(body, 1, &compression);
    if (!take_number(body, 2, &number) || !take(body, 1, &compression))
        return false;
    hello->cipher = (uint16_t)number;
    return true;
}

bool dissect_hello(const struct message *message, struct hello *hello)
{
    struct bytes body = message->body, random, extensions, extension;
    bool from_client = message->type == MESSAGE_CLIENT_HELLO;
    uint32_t version, type;
    *hello = (struct hello){0};
    if ((!from_client && message->type != MESSAGE_SERVER_HELLO) ||
        !take_number(&body, 2, &version) || !take(&body, DISSECT_RANDOM, &random) ||
        !read_middle(&body, from_client, hello))
        return false;
    hello->version = (int)version;
    hello->random = random.at;
    if (body.length == 0)
        return true; // there need not be any extensions
    if (!take_vector(&body, 2, &extensions))
        return false;
    while (extensions.length)
        if (!take_number(&extensions, 2, &type) || !take_vector(&extensions, 2, &extension) ||
            !read_extension(type, extension, from_client, hello))
            return false;
    return true;
}

bool dissect_certificate(const struct message *message, struct bytes *der)
{
    struct bytes body = message->body, list;
    return message->type == MESSAGE_CERTIFICATE && take_vector(&body, 3, &list) &&
           take_vector(&list, 3, der);
}
