// rules.h: rules that hold for any bytes, for the tests and the fuzzer.
#ifndef RULES_H
#define RULES_H

#include <stdlib.h>
#include <string.h>

#include "datagram.h"
#include "binding.h"
#include "description.h"
#include "ice.h"
#include "stun.h"

// Copies bytes into memory that ends where they end, so that a sanitizer sees a read beyond
// them.
static inline uint8_t *copy_exactly(const void *bytes, size_t length)
{
    uint8_t *copy = malloc(length + (length == 0));
    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

static inline struct server_sockets four_sockets(void)
{
    struct server_sockets sockets = {.count = SOCKETS};
    for (int i = 0; i < SOCKETS; i++)
        address_read(i & OTHER_HOST ? "127.0.0.2" : "127.0.0.1", (uint16_t)(1 + i),
                     &sockets.address[i]);
    return sockets;
}

// What the server answers: a message that can be read, has the question's transaction, is no
// request, and is not longer than ANSWER_MAX.
static inline const char *answer_fault(const struct stun_message *request)
{
    static const uint8_t guard[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    uint8_t room[ANSWER_MAX + sizeof guard];
    struct server_sockets sockets = four_sockets();
    struct sockaddr_storage source;
    struct stun_message answer;
    int from;
    address_read("2001:db8::1", 4000, &source); // the longer kind of address
    memcpy(room + ANSWER_MAX, guard, sizeof guard);
    size_t length = binding_answer(request, &source, &sockets, 3, &from, room);
    if (memcmp(room + ANSWER_MAX, guard, sizeof guard) != 0 || length > ANSWER_MAX)
        return "an answer is too long";
    if (from < 0 || from >= SOCKETS)
        return "an answer leaves by a socket that is not there";
    if (stun_read(room, length, &answer))
        return "an answer cannot be read";
    if (answer.class != STUN_SUCCESS && answer.class != STUN_ERROR)
        return "an answer is a request";
    if (!stun_is_transaction(&answer, request->bytes + 4))
        return "an answer has another transaction";
    return NULL;
}

// Reads a message, its attributes, the first address of each type, and the server's answer.
static inline const char *message_fault(const void *all, size_t length)
{
    struct stun_message message;
    struct sockaddr_storage address;
    uint8_t *bytes = copy_exactly(all, length);
    const char *fault = NULL, *why = stun_read(bytes, length, &message);
    long size = stun_size(bytes, length);
    size_t at = 0, used = STUN_HEADER;
    uint16_t type, attribute_length;
    if (!why && size != (long)length)
        fault = "a message has another length in a stream";
    const uint8_t *value;
    while (!why && (value = stun_next(&message, &at, &type, &attribute_length))) {
        if (value + attribute_length > bytes + length || at <= used)
            fault = "an attribute is not in the message";
        used = at;
        stun_find_address(&message, type, &address);
    }
    if (!why) {
        stun_error_code(&message);
        stun_is_signed(&message, "key");
    }
    if (!why && !fault && message.class == STUN_REQUEST)
        fault = answer_fault(&message);
    free(bytes);
    return fault;
}

// What was read as a description is written, and read again as the same.
static inline const char *description_fault(const char *all, size_t length)
{
    static char again[DESCRIPTION_BYTES];
    struct description first, second;
    char *text = strndup(all, length);
    const char *fault = NULL;
    if (length >= DESCRIPTION_BYTES || description_read(text, &first)) {
        free(text);
        return NULL;
    }
    if (description_write(&first, again) >= DESCRIPTION_BYTES)
        fault = "a description is too long";
    else if (description_read(again, &second) || second.count != first.count ||
             strcmp(first.ufrag, second.ufrag) != 0)
        fault = "a description is not read as it was written";
    for (int i = 0; !fault && i < first.count; i++)
        if (first.candidates[i].priority != second.candidates[i].priority ||
            !address_is(&first.candidates[i].address, &second.candidates[i].address))
            fault = "a candidate is not read as it was written";
    free(text);
    return fault;
}

// An agent with a known password, which takes these bytes from another agent and from the
// server, before and after it has begun its checks. A message in `bytes` is signed for it.
static inline void agent_takes(struct ice_agent *agent, const uint8_t *bytes, size_t length,
                               const struct sockaddr_storage *server,
                               const struct sockaddr_storage *peer)
{
    uint8_t *copy = copy_exactly(bytes, length);
    ice_take_datagram(agent, 0, copy, length, server);
    ice_take_datagram(agent, 0, copy, length, peer);
    ice_step(agent);
    free(copy);
}

#endif
