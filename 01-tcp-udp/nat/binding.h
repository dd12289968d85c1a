// binding.h: the answer to "what is my address?" (RFC 8489 section 6.3, RFC 5780 section 6.1).
#ifndef BINDING_H
#define BINDING_H

#include "stun.h"

// No answer of this server is longer. UDP's sources can be forged: whoever sends 20 bytes in
// the name of a victim makes the server send the victim at most this many.
#define ANSWER_MAX 128

#define OTHER_PORT 1 // bits of a socket's number
#define OTHER_HOST 2
#define SOCKETS    4

// The server's addresses. With `count` 1 there is no other host and port (RFC 5780).
struct binding_sockets {
    struct sockaddr_storage address[SOCKETS];
    int count;
};

// Writes the answer to a request of `source` that has come in on socket number `at`. Sets
// *from to the number of the socket that it has to leave by. Returns its length, 0: there is no
// answer.
size_t binding_answer(const struct stun_message *request, const struct sockaddr_storage *source,
                      const struct binding_sockets *sockets, int at, int *from,
                      uint8_t answer[ANSWER_MAX]);

// An error answer to any request; `unknown` (or NULL) are `count` types for
// UNKNOWN-ATTRIBUTES.
size_t binding_refuse(const struct stun_message *request, int code, const char *reason,
                      const uint16_t unknown[], int count, uint8_t answer[ANSWER_MAX]);

// Collects the types of those attributes that a server must understand and this one does not,
// at most UNKNOWN_MAX. Returns how many.
#define UNKNOWN_MAX 8
int binding_unknown(const struct stun_message *request, bool knows_change,
                    uint16_t unknown[UNKNOWN_MAX]);

#endif
