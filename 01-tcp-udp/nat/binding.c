// binding.c: see binding.h.
#include "binding.h"

#include <arpa/inet.h>

#define UNKNOWN_MAX 8 // attributes that an answer names

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
        return type >= STUN_OPTIONAL;
    }
}

static void end_answer(const struct stun_message *request, struct stun_writer *writer)
{
    if (!request->has_cookie) // RFC 3489 has no FINGERPRINT
        return;
    stun_add_text(writer, SOFTWARE, STUN_SOFTWARE);
    stun_add_fingerprint(writer);
}

static void begin_error(const struct stun_message *request, int code, const char *reason,
                        struct stun_writer *writer, uint8_t answer[ANSWER_MAX])
{
    stun_begin(writer, answer, ANSWER_MAX, STUN_ERROR, request->method, request->bytes + 4);
    stun_add_error(writer, code, reason);
}

size_t binding_refuse(const struct stun_message *request, int code, const char *reason,
                      uint8_t answer[ANSWER_MAX])
{
    struct stun_writer writer;
    begin_error(request, code, reason, &writer, answer);
    end_answer(request, &writer);
    return writer.length;
}

size_t binding_refuse_unknown(const struct stun_message *request, bool knows_change,
                              uint8_t answer[ANSWER_MAX])
{
    struct stun_writer writer;
    uint16_t type, length, unknown[UNKNOWN_MAX + 1];
    size_t at = 0, count = 0;
    while (count < UNKNOWN_MAX && stun_next(request, &at, &type, &length))
        if (!is_known(type, knows_change))
            unknown[count++] = htons(type);
    if (count == 0)
        return 0;
    if (count % 2 == 1 && !request->has_cookie) { // RFC 3489 section 11.2.10: an even number
        unknown[count] = unknown[count - 1];
        count++;
    }
    begin_error(request, 420, "Unknown Attribute", &writer, answer);
    stun_add(&writer, UNKNOWN_ATTRIBUTES, unknown, count * sizeof *unknown);
    end_answer(request, &writer);
    return writer.length;
}

size_t binding_answer(const struct stun_message *request, const struct sockaddr_storage *source,
                      const struct server_sockets *sockets, int at, int *from,
                      uint8_t answer[ANSWER_MAX])
{
    struct stun_writer writer;
    uint16_t length;
    uint32_t change = 0;
    bool has_other = sockets->count == SOCKETS;
    size_t refusal = binding_refuse_unknown(request, has_other, answer);
    *from = at;
    if (refusal)
        return refusal;
    if (stun_find(request, CHANGE_REQUEST, &length) &&
        !stun_find_u32(request, CHANGE_REQUEST, &change))
        return binding_refuse(request, 400, "Bad Request", answer);
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
