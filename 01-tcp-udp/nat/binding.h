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

// The server's sockets: one for TCP, and up to four for UDP with their addresses. With `count`
// 1 there is no other host and port (RFC 5780).
struct server_sockets {
    int listener, udp[SOCKETS], count;
    struct sockaddr_storage address[SOCKETS];
};

// Writes the answer to a request of `source` that has come in on socket number `at`. Sets
// *from to the number of the socket that it has to leave by. Returns its length, 0: there is no
// answer.
size_t binding_answer(const struct stun_message *request, const struct sockaddr_storage *source,
                      const struct server_sockets *sockets, int at, int *from,
                      uint8_t answer[ANSWER_MAX]);

// An error answer to any request. Returns its length.
size_t binding_refuse(const struct stun_message *request, int code, const char *reason,
                      uint8_t answer[ANSWER_MAX]);

// The same, where a request has attributes that a server must understand and this one does not
// (420). Returns 0 where there are none, and the request may be served. `knows_change`: it
// understands CHANGE-REQUEST.
size_t binding_refuse_unknown(const struct stun_message *request, bool knows_change,
                              uint8_t answer[ANSWER_MAX]);

#endif
