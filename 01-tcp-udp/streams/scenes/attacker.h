// attacker.h: somebody who has an address of his own, and sends packets to other people's
// connections.
#ifndef ATTACKER_H
#define ATTACKER_H

#include "connection.h"

struct attacker {
    int fd;
    uint64_t sent, received, stolen; // bytes; stolen: of streams
};

void attacker_begin(struct attacker *attacker, const char *host, int port);
void attacker_end(struct attacker *attacker);

// Sends a packet with this frame to the connection `id`; large ones have 1,200 bytes.
void attacker_send(struct attacker *attacker, const uint8_t id[ID_BYTES], uint64_t number,
                   const struct frame *frame, bool large);

// Sends a first packet of a new connection, as large as it has to be.
void attacker_send_first(struct attacker *attacker, const char *path);

// Takes what comes, until nothing has come for `ms` milliseconds. If `id`: answers challenges
// of this connection, with packets from this number on.
void attacker_take(struct attacker *attacker, const uint8_t *id, uint64_t number, int ms);

#endif
