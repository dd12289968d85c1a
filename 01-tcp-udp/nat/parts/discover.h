// discover.h: what the NAT in front of us does, found out with a STUN server that has two
// addresses and two ports (RFC 5780 section 4). The words are those of RFC 4787.
#ifndef DISCOVER_H
#define DISCOVER_H

#include "stun.h"

#define DISCOVER_SOCKETS 3

enum behaviour {
    NOT_KNOWN, // the server has one address, or no answer has come
    ENDPOINT_INDEPENDENT,
    ADDRESS_DEPENDENT,
    ADDRESS_AND_PORT_DEPENDENT
};

struct discovery {
    bool answered; // the server has answered at all
    int error;     // 0, or errno, or the code with which the server has refused to answer
    struct sockaddr_storage local, mapped, other;
    bool has_other;
    enum behaviour mapping;    // does another peer see us at another port?
    enum behaviour filtering;  // who may send to us?
    bool port_came, host_came; // the answers from the server's other port, and other host
};

// Asks the server from three sockets behind the same NAT that have not sent anything yet. A
// question is repeated after `wait_ms`, twice that, ..., `tries` times in all.
struct discovery discover(const int fds[DISCOVER_SOCKETS],
                          const struct sockaddr_storage *server, int wait_ms, int tries);

// The first question only: how the server sees this socket.
struct discovery discover_mapped(int fd, const struct sockaddr_storage *server, int wait_ms,
                                 int tries);

// The kind in the notes' words, "?" if it is not known.
const char *nat_kind(const struct discovery *found);

const char *behaviour_name(enum behaviour behaviour);

#endif
