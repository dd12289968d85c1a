// binding.c: see binding.h.
#include "binding.h"

#include <arpa/inet.h>

#include "address.h"

#define MUST_KNOW_BELOW 0x8000 // attributes that may not be ignored (RFC 8489 section 14)

static bool is_known(uint16_t type, bool knows_change)
{
    switch (type) {
    case USERNAME: // known, and without a meaning here: this server asks nobody who he is
    case MESSAGE_INTEGRITY:
    case REALM:
    case NONCE:
    case LIFETIME: // of the relay
    case XOR_PEER_ADDRESS:
    case DATA:
    case PRIORITY: // of ICE
    case USE_CANDIDATE:
        return true;
    case CHANGE_REQUEST:
        return knows_change;
    default:
        return type >= MUST_KNOW_BELOW;
    }
}

int binding_unknown(const struct stun_message *request, bool knows_change,
                    uint16_t unknown[UNKNOWN_MAX])
{
    size_t at = 0;
    int count = 0;
    uint16_t type, length;
    while (count < UNKNOWN_MAX && stun_next(request, &at, &type, &length))
        if (!is_known(type, knows_change))
            unknown[count++] = type;
    return count;
}

static void end_answer(const struct stun_message *request, struct stun_writer *writer)
{
    if (!request->has_cookie) // RFC 3489 has no FINGERPRINT
        return;
    stun_add_text(writer, SOFTWARE, STUN_SOFTWARE);
    stun_add_fingerprint(writer);
}

size_t binding_refuse(const struct stun_message *request, int code, const char *reason,
                      const uint16_t unknown[], int count, uint8_t answer[ANSWER_MAX])
{
    struct stun_writer writer;
    uint16_t types[UNKNOWN_MAX + 1];
    stun_begin(&writer, answer, ANSWER_MAX, STUN_ERROR, request->method, request->bytes + 4);
    stun_add_error(&writer, code, reason);
    for (int i = 0; i < count; i++)
        types[i] = htons(unknown[i]);
    if (count % 2 == 1 && !request->has_cookie) // RFC 3489 section 11.2.10: an even number
        types[count] = types[count - 1], count++;
    if (count)
        stun_add(&writer, UNKNOWN_ATTRIBUTES, types, (size_t)count * 2);
    end_answer(request, &writer);
    return writer.length;
}

size_t binding_answer(const struct stun_message *request, const struct sockaddr_storage *source,
                      const struct binding_sockets *sockets, int at, int *from,
                      uint8_t answer[ANSWER_MAX])
{
    struct stun_writer writer;
    uint16_t unknown[UNKNOWN_MAX];
    uint32_t change = 0;
    bool has_other = sockets->count == SOCKETS;
    int count = binding_unknown(request, has_other, unknown);
    *from = at;
    if (count)
        return binding_refuse(request, 420, "Unknown Attribute", unknown, count, answer);
    uint16_t length;
    if (stun_find(request, CHANGE_REQUEST, &length) &&
        !stun_find_u32(request, CHANGE_REQUEST, &change))
        return binding_refuse(request, 400, "Bad Request", NULL, 0, answer);
    if (change & CHANGE_PORT)
        *from ^= OTHER_PORT;
    if (change & CHANGE_ADDRESS)
        *from ^= OTHER_HOST;
    stun_begin(&writer, answer, ANSWER_MAX, STUN_SUCCESS, STUN_BINDING, request->bytes + 4);
    if (request->has_cookie)
        stun_add_address(&writer, XOR_MAPPED_ADDRESS, source);
    else
        stun_add_address(&writer, MAPPED_ADDRESS, source);
    if (request->has_cookie)
        stun_add_address(&writer, RESPONSE_ORIGIN, &sockets->address[*from]);
    else
        stun_add_address(&writer, SOURCE_ADDRESS, &sockets->address[*from]);
    const struct sockaddr_storage *other =
        &sockets->address[(at ^ OTHER_PORT ^ OTHER_HOST) % SOCKETS];
    if (has_other && request->has_cookie)
        stun_add_address(&writer, OTHER_ADDRESS, other);
    else if (has_other)
        stun_add_address(&writer, CHANGED_ADDRESS, other);
    end_answer(request, &writer);
    return writer.length;
}
